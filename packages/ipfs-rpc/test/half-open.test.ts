import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { type Proxy, startProxy } from '@p2pl/tooling-kubo/proxy'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { until } from '@p2pl/tooling-vitest'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../src/index.ts'
import { link } from './support/daemon.ts'
import { bytes, Inbox } from './support/inbox.ts'

/** The connection of a subscription that swallows everything while every other call works. */
describeWithKubo('a subscription on a half-open connection', (binary) => {
  let daemons: TestDaemon[] = []
  let proxy: Proxy
  let other: IpfsRpcBackend
  const running: IpfsRpcBackend[] = []

  beforeAll(async () => {
    daemons = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
  })
  afterAll(async () => {
    await Promise.all(daemons.map(async (daemon) => await daemon.stop()))
  })
  beforeEach(async () => {
    proxy = await startProxy(urlOf(0))
    other = await start(urlOf(1))
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map(async (backend) => await backend.stop()))
    await proxy.close()
  })

  function urlOf(index: number): string {
    return daemons[index]?.url ?? ''
  }

  async function start(url: string, silence?: number): Promise<IpfsRpcBackend> {
    // Looks at the daemon must not be what finds it out.
    const backend = ipfsRpc({ url, silence, probeInterval: 60_000 })
    running.push(backend)
    await backend.start()
    return backend
  }

  async function subscribed(silence?: number): Promise<[IpfsRpcBackend, Inbox]> {
    const subject = await start(proxy.url, silence)
    await link(other, subject)
    const inbox = new Inbox()
    await subject.messages?.subscribe('half-open', inbox)
    await reach('before', inbox)
    return [subject, inbox]
  }

  async function reach(text: string, inbox: Inbox): Promise<void> {
    await until(`"${text}" gets through`, async () => {
      await other.messages?.publish('half-open', bytes(text)).catch(() => {})
      return inbox.items.includes(text)
    })
  }

  /** Where the machine was so busy that it came to the daemon after the new stream, it is not lost, but behind the gap. */
  function expectNotBeforeGap(text: string, inbox: Inbox): void {
    expect(inbox.items.slice(0, inbox.firstGap)).not.toContain(text)
  }

  it('is healed within seconds, with a gap, when its own messages do not come back', async () => {
    const [subject, inbox] = await subscribed(3_600_000)
    proxy.swallow()
    await other.messages?.publish('half-open', bytes('lost'))
    // A call on a swallowed connection of the pool fails; the next ones are new.
    await until('a publish works', async () => {
      return await subject.messages?.publish('half-open', bytes('own'), { signal: AbortSignal.timeout(500) }).then(
        () => true,
        () => false
      )
    })
    await inbox.hasGap()
    await reach('after', inbox)
    expectNotBeforeGap('lost', inbox)
    expect(inbox.firstGap).toBeLessThan(inbox.items.indexOf('after'))
    expect(inbox.states).toEqual(['healing', 'live'])
  })

  it('is healed, with a gap before the first message, when nothing comes for long and it only listens', async () => {
    // Longer than the message that is to be lost mostly needs to the daemon.
    const [, inbox] = await subscribed(3_000)
    const before = proxy.accepted
    proxy.swallow()
    await other.messages?.publish('half-open', bytes('lost'))
    await until('it was opened anew', () => proxy.accepted > before)
    await reach('after', inbox)
    expectNotBeforeGap('lost', inbox)
    expect(inbox.firstGap).toBeGreaterThan(-1)
    expect(inbox.firstGap).toBeLessThan(inbox.items.indexOf('after'))
  })

  it('on a quiet topic that is well there are neither gaps nor doubles, whatever was opened anew', async () => {
    const [subject, inbox] = await subscribed(150)
    for (let round = 0; round < 3; round++) {
      const before = proxy.accepted
      await until('it was opened anew twice', () => proxy.accepted >= before + 2)
      // Its own, because another daemon's may be lost on their way.
      for (let i = 0; i < 5; i++) await subject.messages?.publish('half-open', bytes(`${round}/${i}`))
      await inbox.has(`${round}/4`)
    }
    expect(inbox.gaps).toEqual([])
    const numbered = inbox.messages.filter((text) => text.includes('/'))
    expect(new Set(numbered).size).toBe(numbered.length)
  })

  it('an idle connection that a middle box closes in order is no loss', async () => {
    // Far longer than a busy daemon needs to open a subscription anew: none is closed that is in use.
    proxy.idleTimeout(3_000)
    const [, inbox] = await subscribed(200)
    const before = { accepted: proxy.accepted, idled: proxy.idled }
    await until(
      'connections were opened anew and closed',
      () => proxy.accepted >= before.accepted + 8 && proxy.idled >= before.idled + 3
    )
    await reach('after', inbox)
    expect(inbox.gaps).toEqual([])
  })
})
