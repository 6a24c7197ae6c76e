import { createHash } from 'node:crypto'
import { join } from 'node:path'
import * as dagCbor from '@ipld/dag-cbor'
import { createBackends, loadConfig } from '@p2pl/config'
import type { Backend } from '@p2pl/core'
import { bridge } from '@p2pl/layers/bridge'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { expect, it } from 'vitest'
import { prepareDaemons } from '../src/demo/daemon.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import type { Home } from '../src/node/home.ts'
import { decodePayload } from '../src/rules/payload.ts'
import { openNode } from '../src/run/open-node.ts'
import { makeHomes } from './support.ts'

const folder = temporaryFolder()

async function backendOf(env: Record<string, string>, dir: string): Promise<Backend> {
  const backends = await createBackends(await loadConfig({ env, file: false }), { dir })
  if ('backend' in backends) return backends.backend
  throw new Error('one backend is enough')
}

/** The documents that the entries of an announcement record. */
function documentsIn(message: Uint8Array): CID[] {
  const [, kind, , entries] = dagCbor.decode<[number, number, unknown, Uint8Array[]]>(message)
  if (kind !== 0) return []
  return entries.flatMap((entry) => {
    const payload = decodePayload(dagCbor.decode<Uint8Array[]>(entry).at(-2) as Uint8Array)
    return payload.type === 'record' ? [payload.cid] : []
  })
}

async function digestOf(node: LedgerNode, cid: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of (await node.content(cid, { signal: AbortSignal.timeout(100_000) })).body) hash.update(chunk)
  return hash.digest('hex')
}

it('a bridge carries entries and documents of 20 MiB between a Kubo network and a BitTorrent network, both ways, each once', async () => {
  const daemons = await prepareDaemons('ipfs-rpc')
  const [kuboHome, torrentHome] = (await makeHomes(folder, ['kubo', 'bittorrent'])) as [Home, Home]
  const bridgeFolder = join(folder, 'bridge')
  const calls: Record<string, number> = {}
  const backend = bridge(
    await backendOf(daemons.envFor('ipfs-rpc', bridgeFolder), join(bridgeFolder, 'kubo')),
    await backendOf({ P2PL_BACKEND: 'bittorrent' }, join(bridgeFolder, 'bittorrent')),
    {
      topics: [kuboHome.genesis.topic],
      content: ({ payload }) => {
        const found = documentsIn(payload)
        for (const cid of found) calls[cid.toString()] = (calls[cid.toString()] ?? 0) + 1
        return found
      }
    }
  )
  const nodes: LedgerNode[] = []
  try {
    await backend.start()
    const open = async (home: Home, env: Record<string, string>): Promise<LedgerNode> => {
      // A node that hears nobody for six periods, as where this process stands still, tells of its entries by beacons
      // alone, and a bridge does not see the documents in those.
      const node = await openNode(home, { env, beaconPeriod: 2_000 })
      nodes.push(node)
      const { self } = await node.status()
      for (const peer of self) await backend.routing?.connect(peer)
      return node
    }
    const kubo = await open(kuboHome, daemons.envFor('ipfs-rpc', kuboHome.path))
    const torrent = await open(torrentHome, { P2PL_BACKEND: 'bittorrent' })
    const agree = async (entries: number): Promise<void> => {
      await until(`${entries} entries on both`, async () => {
        const [one, other] = [await kubo.status(), await torrent.status()]
        return one.root === other.root && one.balances === other.balances && one.entries === entries
      })
    }
    for (let i = 1; i <= 5; i++) {
      await kubo.transfer({ to: torrent.account, amount: BigInt(i) })
      await torrent.transfer({ to: kubo.account, amount: 1n })
    }
    await agree(10)
    for (const [index, [from, to]] of [[kubo, torrent] as const, [torrent, kubo] as const].entries()) {
      const document = seededBytes(20 * 1_048_576, 50 + index)
      const { entry } = await from.record({
        name: 'large.bin',
        mediaType: 'application/octet-stream',
        content: [document]
      })
      await agree(11 + index)
      const content = entry.type === 'record' ? entry.content : ''
      expect(await digestOf(to, content)).toBe(createHash('sha256').update(document).digest('hex'))
      expect(calls[content]).toBe(1)
    }
    await until('each is connected to the bridge alone', async () => {
      const [one, other] = [await kubo.status(), await torrent.status()]
      return one.connections === 1 && other.connections === 1
    })
  } finally {
    await Promise.all(nodes.map(async (node) => await node.stop()))
    await backend.stop()
  }
}, 300_000)
