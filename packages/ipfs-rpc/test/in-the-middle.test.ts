import { execFileSync } from 'node:child_process'
import { type Block, isP2plError } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { type Proxy, startProxy } from '@p2pl/tooling-kubo/proxy'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { until } from '@p2pl/tooling-vitest'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { collect } from './support/collect.ts'
import { errorOf } from './support/daemon.ts'
import { bytes, Inbox } from './support/inbox.ts'

/** Of the adapter, for local work (ms): longer than a busy daemon needs for an answer. */
const deadline = 5_000

/** The daemon has the call, and its answer is on its way. */
describeWithKubo('in the middle of a call', (binary) => {
  let daemon: TestDaemon
  let proxy: Proxy
  let subject: IpfsRpcBackend
  let stored: Block[] = []
  let seed = 0

  beforeAll(async () => {
    daemon = await startTestDaemon({ binary })
  })
  afterAll(async () => {
    await daemon.stop()
  })
  beforeEach(async () => {
    if (!daemon.running) await daemon.restart()
    proxy = await startProxy(daemon.url)
    // Looks at the daemon must not be what ends the calls.
    subject = ipfsRpc({ url: proxy.url, timeout: deadline, probeInterval: 60_000 })
    await subject.start()
    // New ones, since the daemon is not asked to pin what an earlier test has pinned.
    stored = await Promise.all(Array.from({ length: 4 }, async () => await seededBlock(50_000, seed++)))
    await subject.blocks?.putMany(stored)
  })
  afterEach(async () => {
    daemon.signal('SIGCONT')
    await subject.stop()
    await proxy.close()
  })

  type Call = (signal: AbortSignal) => Promise<unknown> | undefined
  const cid = (index: number): Block['cid'] => {
    const block = stored[index]
    if (block === undefined) throw new Error('no block')
    return block.cid
  }
  const calls: [operation: string, path: string, Call][] = [
    ['messages.publish', 'pubsub/pub', (signal) => subject.messages?.publish('middle', bytes('x'), { signal })],
    ['messages.subscribe', 'pubsub/sub', (signal) => subject.messages?.subscribe('middle', new Inbox(), { signal })],
    ['messages.peers', 'pubsub/peers', (signal) => subject.messages?.peers('middle', { signal })],
    ['blocks.putMany', 'block/put', (signal) => subject.blocks?.putMany(stored, { signal })],
    ['blocks.get', 'block/get', (signal) => subject.blocks?.get(cid(0), { signal })],
    ['blocks.has', 'block/stat', (signal) => subject.blocks?.has(cid(0), { signal })],
    ['blocks.pin', 'pin/add', (signal) => subject.blocks?.pin(cid(1), { signal })],
    ['blocks.unpin', 'pin/rm', (signal) => subject.blocks?.unpin(cid(2), { signal })],
    ['blocks.delete', 'block/rm', (signal) => subject.blocks?.delete(cid(3), { signal })],
    ['blocks.pins', 'pin/ls', (signal) => collect(subject.blocks?.pins({ signal }) ?? [])],
    ['blocks.gc', 'repo/gc', (signal) => collect(subject.blocks?.gc({ signal }) ?? [])],
    ['routing.provide', 'routing/provide', (signal) => subject.routing?.provide(cid(0), { signal })],
    [
      'routing.findProviders',
      'routing/findprovs',
      (signal) => collect(subject.routing?.findProviders(cid(0), { signal }) ?? [])
    ],
    ['routing.connections', 'swarm/peers', (signal) => subject.routing?.connections({ signal })]
  ]

  interface Begun {
    readonly end: Promise<unknown>
    /** The time of the caller is over. */
    readonly expire: () => void
  }

  function expiring(call: Call): Begun {
    const time = new AbortController()
    const expire = (): void => time.abort(new DOMException('the time is over', 'TimeoutError'))
    return { end: errorOf(call(time.signal)), expire }
  }

  /** Begins the call, and resolves when an answer to it has been held back. */
  async function begin(path: string, call: Call): Promise<Begun> {
    proxy.holdAnswers(path)
    const begun = expiring(call)
    await until('the daemon has answered', () => proxy.held > 0)
    return begun
  }

  // The kill comes through the proxy as the end of the connections.
  it.each(calls)('%s: the daemon is killed', async (operation, path, call) => {
    const { end } = await begin(path, call)
    await daemon.kill()
    expect(await end).toMatchObject(expectation(operation, 'UNREACHABLE'))
  })

  it.each(calls)('%s: the answer never comes', async (operation, path, call) => {
    const { end, expire } = await begin(path, call)
    // The daemon itself closes the connection after an answer that it begins before it has read all of the call.
    const code = operation === 'blocks.putMany' ? 'UNREACHABLE' : 'TIMEOUT'
    // A caller who gives up asks for no certainty: a publish ends by the deadline of the adapter.
    if (code === 'TIMEOUT' && operation !== 'messages.publish') expire()
    expect(await end).toMatchObject(expectation(operation, code))
  })

  it.each(calls)('%s: the daemon stands still', async (operation, _, call) => {
    daemon.signal('SIGSTOP')
    await until('it stands still', () =>
      execFileSync('ps', ['-o', 'state=', '-p', String(daemon.pid)], { encoding: 'utf8' }).startsWith('T')
    )
    const { end, expire } = expiring(call)
    await new Promise((resolve) => setImmediate(resolve))
    expire()
    expect(await end).toMatchObject({ operation, code: 'TIMEOUT', backend: 'ipfs-rpc', retryable: true })
  })

  it('a pin that follows an aborted one, which the daemon has made, lasts', async () => {
    const giveUp = new AbortController()
    const { end } = await begin('pin/add', () => subject.blocks?.pin(cid(0), { signal: giveUp.signal }))
    giveUp.abort()
    expect(await end).toMatchObject({ code: 'ABORTED' })
    proxy.heal()
    await subject.blocks?.pin(cid(0))
    // Waits for what is left of the aborted one.
    await subject.blocks?.unpin(cid(1))
    const pins = await collect(subject.blocks?.pins() ?? [])
    expect(pins.map((pin) => pin.cid.toString())).toContain(cid(0).toString())
  })

  it('a publish to a daemon that is not there has not happened, which is known', async () => {
    proxy.refuse()
    // The first call may meet a connection of the pool that is gone.
    await until('the connections of the pool are gone', async () =>
      isP2plError(await errorOf(subject.blocks?.has(cid(0))), 'UNREACHABLE')
    )
    await proxy.close()
    expect(await errorOf(subject.messages?.publish('gone', bytes('x')))).toMatchObject({
      code: 'UNREACHABLE',
      retryable: true
    })
    proxy = await startProxy(daemon.url)
  })

  function expectation(operation: string, code: string): Record<string, unknown> {
    return operation === 'messages.publish'
      ? { operation, code: 'UNCERTAIN', backend: 'ipfs-rpc', retryable: false }
      : { operation, code, backend: 'ipfs-rpc', retryable: true }
  }
})
