import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackendEvent, isP2plError } from '@p2pl/core/backend'
import type { DaemonOptions } from '@p2pl/kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
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
    const backend = ipfsRpc({ daemon: { binary, ...daemon }, probeInterval: 200, probeTimeout: 1_000 })
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

  it('what provide announced is remembered over a restart, until unprovide', async () => {
    const [one, two] = [await start({ repo: newRepo() }), await start({ repo: newRepo() })]
    await two.routing?.connect(one.self())
    const block = await seededBlock(100, 77)
    await one.blocks?.put(block)
    // Until the DHT is there it fails, retryably. A record may be with the other before the call says that it is.
    await until('it is announced', async () => {
      try {
        await one.routing?.provide(block.cid)
        return true
      } catch (error) {
        if (isP2plError(error) && error.retryable) return false
        throw error
      }
    })
    const found: string[] = []
    for await (const { id } of two.routing?.findProviders(block.cid) ?? []) found.push(id)
    expect(found).toContain(one.self().id)
    const list = (): string => readFileSync(join(folder, String(count - 2), 'p2pl', 'provided.json'), 'utf8')
    await one.stop()
    expect(list()).toContain(block.cid.toString())
    await one.start()
    await one.routing?.unprovide(block.cid)
    await one.stop()
    expect(list()).toBe('[]')
  })
})
