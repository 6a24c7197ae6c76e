import { execFileSync } from 'node:child_process'
import { type BackendEvent, isP2plError } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend, type IpfsRpcOptions } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { errorOf, link } from './support/daemon.ts'
import { bytes, Inbox } from './support/inbox.ts'
import { type Proxy, startProxy } from '@p2pl/tooling-kubo/proxy'

describeWithKubo('a daemon that fails', (binary) => {
  let daemons: TestDaemon[] = []
  let proxy: Proxy
  let subject: IpfsRpcBackend
  let other: IpfsRpcBackend
  const events: BackendEvent[] = []
  const extra: IpfsRpcBackend[] = []

  beforeAll(async () => {
    daemons = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
  })
  afterAll(async () => {
    await Promise.all(daemons.map(async (daemon) => await daemon.stop()))
  })
  beforeEach(async () => {
    proxy = await startProxy(daemonAt(0).url)
    events.length = 0
    subject = ipfsRpc({ url: proxy.url, probeInterval: 200, probeTimeout: 400, timeout: 5_000 })
    other = ipfsRpc({ url: daemonAt(1).url, probeInterval: 200 })
    await subject.start({ onEvent: (event) => events.push(event) })
    await other.start()
    await link(other, subject)
  })
  afterEach(async () => {
    await Promise.all([subject, other, ...extra.splice(0)].map(async (backend) => await backend.stop()))
    await proxy.close()
  })

  function daemonAt(index: number): TestDaemon {
    const daemon = daemons[index]
    if (daemon === undefined) throw new Error('no daemon')
    return daemon
  }

  async function another(options: IpfsRpcOptions): Promise<IpfsRpcBackend> {
    const backend = ipfsRpc(options)
    extra.push(backend)
    await backend.start()
    return backend
  }

  function health(backend: IpfsRpcBackend): string | undefined {
    return backend.engine?.health.state
  }

  async function reach(topic: string, text: string, inbox: Inbox): Promise<void> {
    await until(`"${text}" gets through`, async () => {
      await other.messages?.publish(topic, bytes(text)).catch(() => {})
      return inbox.items.includes(text)
    })
  }

  it('kill -9 and restart: calls end typed and retryable, the subscription heals with a gap, content is there', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('kill', inbox)
    await reach('kill', 'before', inbox)
    const block = await seededBlock(1000, 1)
    await subject.blocks?.putMany([block])
    await daemonAt(0).kill()
    await inbox.hasGap()
    const error = await errorOf(subject.blocks?.has(block.cid))
    expect(error).toMatchObject({ code: 'UNREACHABLE', retryable: true, operation: 'blocks.has', backend: 'ipfs-rpc' })
    await until('the loss is reported', () => events.some((event) => event.type === 'degraded'))
    await daemonAt(0).restart()
    await until('the return is reported', () => events.some((event) => event.type === 'recovered'))
    await link(other, subject)
    await reach('kill', 'after', inbox)
    expect(await subject.blocks?.has(block.cid)).toBe(true)
    const gap = inbox.items.findIndex((item) => typeof item !== 'string')
    expect(gap).toBeLessThan(inbox.items.indexOf('after'))
  })

  it('SIGSTOP and SIGCONT: calls end by their deadline, what may be lost is covered by gaps', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('stop', inbox)
    await reach('stop', 'before', inbox)
    // A busy machine may have lost the daemon for a moment before.
    const earlier = inbox.items.length
    const gapSince = (): number => inbox.items.findIndex((item, i) => i >= earlier && typeof item !== 'string')
    daemonAt(0).signal('SIGSTOP')
    try {
      await until('the daemon stands still', () =>
        execFileSync('ps', ['-o', 'state=', '-p', String(daemonAt(0).pid)], { encoding: 'utf8' }).startsWith('T')
      )
      const signal = AbortSignal.timeout(300)
      expect(await errorOf(subject.blocks?.has((await seededBlock(10, 2)).cid, { signal }))).toMatchObject({
        code: 'TIMEOUT',
        retryable: true
      })
      for (let i = 0; i < 20; i++) await other.messages?.publish('stop', bytes(`while stopped ${i}`))
      await until('the loss is reported', () => health(subject) === 'lost')
    } finally {
      daemonAt(0).signal('SIGCONT')
    }
    await until('it is back', () => health(subject) === 'well')
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['degraded', 'recovered']))
    await reach('stop', 'after', inbox)
    // Whatever did not come is between the last message before the stop and one after it, with a gap in between.
    expect(gapSince()).toBeGreaterThan(-1)
    expect(gapSince()).toBeLessThan(inbox.items.indexOf('after'))
    expect(inbox.gaps.every((gap) => gap.reason === 'disconnected')).toBe(true)
  })

  it('dropped connections: the subscription is back with a gap', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('drop', inbox)
    await reach('drop', 'before', inbox)
    proxy.drop()
    await inbox.hasGap()
    await reach('drop', 'after', inbox)
  })

  it('a stream that the daemon ends in order is opened again with a gap', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('half', inbox)
    await reach('half', 'before', inbox)
    proxy.halfClose()
    await inbox.hasGap()
    await reach('half', 'after', inbox)
  })

  it('a network that stalls: calls end within the deadline of the adapter, all is well after it', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('stall', inbox)
    await reach('stall', 'before', inbox)
    proxy.stall()
    const error = await errorOf(subject.blocks?.putMany([await seededBlock(10, 3)]))
    expect(isP2plError(error, 'TIMEOUT')).toBe(true)
    await inbox.hasGap()
    proxy.heal()
    await until('the return is reported', () => events.some((event) => event.type === 'recovered'))
    await reach('stall', 'after', inbox)
  })

  for (const [name, fail, code] of [
    ['drops connections', () => proxy.drop(), 'UNREACHABLE'],
    ["ends them in order from the daemon's side", () => proxy.halfClose(), 'UNREACHABLE'],
    ['refuses connections', () => proxy.refuse(), 'UNREACHABLE'],
    ['stalls', () => proxy.stall(), 'TIMEOUT']
  ] as const)
    it(`a network that ${name}: calls under way and new ones end typed and retryable, and it works again after it`, async () => {
      const [missing, unpinned] = [await seededBlock(100, 4_000), await seededBlock(100, 4_001)]
      const stored = await seededBlock(100, 4_002)
      await subject.blocks?.putMany([stored])
      const time = new AbortController()
      const { signal } = time
      const underWay = [
        errorOf(subject.blocks?.get(missing.cid, { signal })),
        errorOf(subject.blocks?.pin(unpinned.cid, { signal }))
      ]
      await until('the daemon looks for both', async () => {
        const wanted = await daemonAt(0).ipfs('bitswap', 'wantlist')
        return [missing, unpinned].every(({ cid }) => wanted.includes(cid.toString()))
      })
      fail()
      // What waits for others ends by the time of its caller.
      if (code === 'TIMEOUT') time.abort(new DOMException('the time is over', 'TimeoutError'))
      for (const error of await Promise.all(underWay)) expect(error).toMatchObject({ code, retryable: true })
      if (name === 'refuses connections' || name === 'stalls') {
        // No signal: the deadline of the adapter for local work is what ends them.
        for (const error of await Promise.all([
          errorOf(subject.blocks?.putMany([missing])),
          errorOf(subject.blocks?.has(stored.cid)),
          errorOf(subject.messages?.publish('under-way', bytes('x')))
        ]))
          expect(error).toMatchObject({ code, retryable: true })
        proxy.heal()
      }
      await until('it works again', async () => await subject.blocks?.has(stored.cid).catch(() => false))
    })

  it('a subscription that stays silent far longer than the server allows still delivers', async () => {
    const inbox = new Inbox()
    await subject.messages?.subscribe('silence', inbox)
    // What fetch does to a stream after 300 s of silence, this proxy does after 200 ms, from the next connection on.
    proxy.idleTimeout(200)
    proxy.drop()
    await inbox.hasGap(3)
    await reach('silence', 'at last', inbox)
  })

  it('a silent subscription is opened anew before anybody cuts it, without a gap and without doubles', async () => {
    const quiet = await another({ url: proxy.url, silence: 150, probeInterval: 60_000 })
    const inbox = new Inbox()
    const before = proxy.accepted
    await quiet.messages?.subscribe('anew', inbox)
    await until('it was opened anew twice', () => proxy.accepted >= before + 4)
    await until('a peer is known', async () => ((await other.messages?.peers('anew')) ?? []).length > 0)
    for (let i = 0; i < 20; i++) await other.messages?.publish('anew', bytes(String(i)))
    await inbox.has('19')
    expect(inbox.gaps).toEqual([])
    expect(new Set(inbox.messages).size).toBe(inbox.messages.length)
  })

  it('concurrent publishes are made one at a time: none is refused', async () => {
    const texts = Array.from({ length: 60 }, (_, i) => `m${i}`)
    const results = await Promise.allSettled(
      texts.map(async (text) => await subject.messages?.publish('serial', bytes(text)))
    )
    expect(results.filter((result) => result.status === 'rejected')).toEqual([])
  })

  it('who waits for a block gets it as soon as it is stored, also as one of many', async () => {
    await link(subject, other)
    const raw = await Promise.all(Array.from({ length: 40 }, async (_, i) => await seededBlock(2_000, 1_000 + i)))
    // Not only raw ones: the daemon tells those who wait by CID, codec included.
    const many = raw.map(({ cid, bytes: content }) => ({ cid: CID.createV1(0x71, cid.multihash), bytes: content }))
    const last = many.at(-1)
    if (last === undefined) throw new Error('no block')
    const controller = new AbortController()
    const waiting = other.blocks?.get(last.cid, { signal: controller.signal })
    // The want is with the other daemon once it shows there.
    await until('the want is known', async () =>
      (await daemonAt(0).ipfs('bitswap', 'wantlist', '--peer', other.self()[0]?.id ?? '')).includes(last.cid.toString())
    )
    await subject.blocks?.putMany(many)
    expect(await waiting).toEqual(last.bytes)
    controller.abort()
  })

  it('a connection is told of when it comes and when it goes', async () => {
    const id = other.self()[0]?.id
    const told = (type: string): boolean =>
      events.some((event) => event.type === type && 'id' in event && event.id === id)
    await until('it is told of', () => told('peer:connect'))
    // The daemons may connect by themselves again, for their DHT. Not being connected is no error.
    await until('its end is told of', async () => {
      await subject.routing?.disconnect(String(id))
      return told('peer:disconnect')
    })
  })
})
