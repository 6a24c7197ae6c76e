import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import type { BackendEvent } from '@p2pl/core/backend'
import type { DaemonOptions } from '@p2pl/kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { freePort, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { daemonOf } from './support/daemon.ts'
import { bytes, Inbox } from './support/inbox.ts'

describeWithKubo('a managed daemon', (binary) => {
  const folder = temporaryFolder('p2pl-managed-')
  const backends: IpfsRpcBackend[] = []
  const events: BackendEvent[] = []
  let count = 0

  afterEach(async () => {
    events.length = 0
    await Promise.all(backends.splice(0).map(async (backend) => await backend.stop()))
  })

  function newRepo(): string {
    return join(folder, String(count++))
  }

  async function start(daemon: DaemonOptions): Promise<IpfsRpcBackend> {
    const backend = ipfsRpc({ daemon: { binary, ...daemon }, probeInterval: 200, probeTimeout: 20_000 })
    backends.push(backend)
    await backend.start({ onEvent: (event) => events.push(event) })
    return backend
  }

  it('a crash restarts it: the subscription heals with a gap, and what was stored is there', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const inbox = new Inbox()
    await backend.messages?.subscribe('crash', inbox)
    const blocks = await Promise.all(Array.from({ length: 20 }, async (_, i) => await seededBlock(300, i)))
    await backend.blocks?.putMany(blocks)
    const first = daemonOf(repo)
    process.kill(first, 'SIGKILL')
    await inbox.hasGap()
    await until('it is back', () => events.some((event) => event.type === 'recovered'))
    expect(events.find((event) => event.type === 'degraded')).toMatchObject({
      error: { code: 'UNREACHABLE', retryable: true }
    })
    expect(daemonOf(repo)).not.toBe(first)
    await until('the echo comes back', async () => {
      await backend.messages?.publish('crash', bytes('again')).catch(() => {})
      return inbox.items.includes('again')
    })
    for (const { cid } of blocks) expect(await backend.blocks?.has(cid)).toBe(true)
  })

  it('keeps a secret beside the content, for its owner only, over a restart', async () => {
    const repo = newRepo()
    const backend = await start({ repo })
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
    expect(await backend.secrets?.get('identity')).toBeUndefined()
    await backend.secrets?.set('identity', secret)
    await backend.stop()
    expect(backend.secrets).toBeUndefined()
    const file = join(repo, 'p2pl', 'secrets', 'identity')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await start({ repo })
    expect(await again.secrets?.get('identity')).toEqual(secret)
    await expect(again.secrets?.get('../config')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    rmSync(file)
    mkdirSync(file)
    await expect(again.secrets?.get('identity')).rejects.toMatchObject({ code: 'STORAGE' })
  })

  it('gives the peer the same id after a restart', async () => {
    const repo = newRepo()
    const ids: string[] = []
    for (let round = 0; round < 2; round++) {
      const peer = await createPeer({ backend: ipfsRpc({ daemon: { binary, repo } }) })
      ids.push(peer.id)
      await peer.stop()
    }
    expect(new Set(ids).size).toBe(1)
  })

  it('tells of a bootstrap peer that does not answer, and connects when it does', async () => {
    const listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`]
    const other = ipfsRpc({ daemon: { binary, repo: newRepo(), listen } })
    backends.push(other)
    await other.start()
    const [address] = other.self().flatMap(({ addresses }) => addresses)
    await other.stop()
    const peer = await createPeer({
      backend: ipfsRpc({ daemon: { binary, repo: newRepo(), bootstrap: [String(address)] }, probeInterval: 200 }),
      onEvent: (event) => events.push(event)
    })
    try {
      await until('it is told', () => events.some((event) => event.type === 'warning'))
      expect(events.find((event) => event.type === 'warning')).toMatchObject({
        message: expect.stringContaining(String(address)) as unknown
      })
      await other.start()
      await until('they are connected', async () => (await peer.network.connections()).length > 0)
    } finally {
      await peer.stop()
    }
  })
})
