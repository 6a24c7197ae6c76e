import { join } from 'node:path'
import { createPeer, type Peer } from '@p2pl/core'
import type { Backend } from '@p2pl/core/backend'
import { helia } from '@p2pl/helia'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { encodeGenesis, initHome, LedgerNode, prepareHome } from '@p2pl/ledger'
import { startTestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterAll, expect, it } from 'vitest'

const each = 40

describeWithKubo('one ledger on two Kubo peers and a Helia peer', (binary) => {
  const folder = temporaryFolder('p2pl-mixed-ledger-')
  const closers: (() => Promise<unknown>)[] = []

  afterAll(async () => {
    for (const close of closers.reverse()) await close()
  })

  it('converges while a daemon is killed and comes back; nothing acknowledged is lost', async () => {
    const daemon = await startTestDaemon({ binary })
    closers.push(() => daemon.stop())
    const backends: Record<string, Backend> = {
      external: ipfsRpc({ url: daemon.url, probeInterval: 500 }),
      managed: ipfsRpc({ daemon: { binary, repo: join(folder, 'repo') }, probeInterval: 500 }),
      embedded: helia({ gossip: { pacing: 20 } })
    }
    const names = Object.keys(backends)
    const homes = names.map((name) => join(folder, name))
    const accounts = await Promise.all(homes.map(async (home) => (await prepareHome(home)).id))
    const genesis = encodeGenesis({
      network: 'mixed',
      balances: new Map(accounts.map((id) => [id, 1_000n])),
      witnesses: accounts,
      salt: new Uint8Array(16)
    })
    const peers: Peer[] = []
    const nodes: LedgerNode[] = []
    for (const [i, backend] of Object.values(backends).entries()) {
      const home = await initHome(homes[i] ?? '', genesis)
      const peer = await createPeer({ backend, identity: home.identity })
      peers.push(peer)
      nodes.push(await LedgerNode.open({ home, peer, backend: names[i] ?? '', beaconPeriod: 1_000 }))
    }
    closers.push(async () => await Promise.all(nodes.map(async (node) => await node.stop())))
    for (const [i, one] of peers.entries())
      for (const other of peers.slice(i + 1)) await one.network.connect(other.network.self())

    let written = 0
    const write = async (round: number): Promise<void> => {
      await Promise.all(
        nodes.map(async (node, i) => {
          for (let n = 0; n < each / 2; n++) {
            await node.transfer({ to: accounts[(i + 1) % accounts.length] ?? '', amount: 1n, memo: `${round}/${n}` })
            written++
          }
        })
      )
    }
    await write(1)
    await daemon.kill()
    await write(2)
    await daemon.restart()

    const statuses = await until('all three have one root with every entry', async () => {
      const all = await Promise.all(nodes.map(async (node) => await node.status()))
      return new Set(all.map(({ root }) => root)).size === 1 && all.every(({ entries }) => entries === written) && all
    })
    expect(written).toBe(3 * each)
    expect(new Set(statuses.map(({ balances }) => balances)).size).toBe(1)
  })
})
