import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeer } from '@p2pl/core'
import type { BackendEvent } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { ipfsRpc } from '../src/index.ts'
import { seededBlock } from './support/block.ts'
import { daemonOf, link } from './support/daemon.ts'
import { bytes, Inbox } from './support/inbox.ts'

/** Processes that stand still for a while: how long is what these tests are about, so they really wait, all at once. */
describeWithKubo('a process that stands still', (binary) => {
  const folder = temporaryFolder('p2pl-standstill-')

  async function standsStill(pid: number): Promise<void> {
    await until(`process ${pid} stands still`, () =>
      execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')
    )
  }

  /** Stops the daemon for `ms`, during which `meanwhile` runs. */
  async function still(daemon: TestDaemon, ms: number, meanwhile: () => Promise<void>): Promise<void> {
    daemon.signal('SIGSTOP')
    try {
      await standsStill(daemon.pid)
      await Promise.all([sleep(ms), meanwhile()])
    } finally {
      daemon.signal('SIGCONT')
    }
  }

  it.concurrent('a daemon, for 20 s: calls end typed and retryable, the subscription heals with a gap, nothing is lost', async () => {
    const [daemon, sender] = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
    const events: BackendEvent[] = []
    // As it comes, but for the deadline of local work, which is to end within the 20 s.
    const subject = ipfsRpc({ url: daemon.url, timeout: 10_000 })
    const other = ipfsRpc({ url: sender.url })
    try {
      await Promise.all([subject.start({ onEvent: (event) => events.push(event) }), other.start()])
      await link(other, subject)
      const inbox = new Inbox()
      await subject.messages?.subscribe('still', inbox)
      const reach = async (text: string): Promise<void> => {
        await until(`"${text}" gets through`, async () => {
          await other.messages?.publish('still', bytes(text)).catch(() => {})
          return inbox.items.includes(text)
        })
      }
      await reach('before')
      const blocks = await Promise.all(Array.from({ length: 50 }, async (_, i) => await seededBlock(500, i)))
      await subject.blocks?.putMany(blocks)
      await still(daemon, 20_000, async () => {
        const another = await seededBlock(10, 99)
        const ended = await Promise.allSettled([
          subject.blocks?.putMany([another]),
          subject.blocks?.has(another.cid),
          subject.blocks?.get(another.cid, { local: true }),
          subject.messages?.peers('still'),
          subject.routing?.provide(another.cid, { signal: AbortSignal.timeout(5_000) }),
          subject.blocks?.get(another.cid, { signal: AbortSignal.timeout(5_000) })
        ])
        for (const result of ended)
          expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT', retryable: true } })
      })
      await until('the return is reported', () => events.some((event) => event.type === 'recovered'))
      expect(events.find((event) => event.type === 'degraded')).toMatchObject({ error: { retryable: true } })
      await reach('after')
      expect(inbox.gaps.length).toBeGreaterThan(0)
      for (const { cid } of blocks) expect(await subject.blocks?.has(cid)).toBe(true)
    } finally {
      await Promise.all([subject.stop(), other.stop()])
      await Promise.all([daemon.stop(), sender.stop()])
    }
  }, 180_000)

  it.concurrent('a daemon, for 15 s in which 20 messages go by: each is delivered or covered by a gap', async () => {
    const [daemon, sender] = await Promise.all([startTestDaemon({ binary }), startTestDaemon({ binary })])
    const [reader, writer] = await Promise.all(
      [daemon, sender].map(async ({ url }) => await createPeer({ backend: ipfsRpc({ url }) }))
    )
    if (reader === undefined || writer === undefined) throw new Error('no peers')
    try {
      await writer.network.connect(reader.network.self())
      const subscription = reader.topic('still').subscribe()
      await subscription.joined
      const topic = writer.topic('still')
      await topic.ready({ timeout: 60_000 })
      const delivered = new Map<string, number>()
      const gaps: { first: number; last: number }[] = []
      let ended = false
      const reading = (async () => {
        for await (const item of subscription)
          if (item.type === 'message') delivered.set(new TextDecoder().decode(item.payload), item.sequence)
          else if (item.count !== undefined) gaps.push({ first: item.first ?? 0, last: item.last ?? -1 })
        ended = true
      })()
      let before = 0
      await until('messages flow', async () => {
        await topic.publish(bytes(`before ${before++}`))
        return delivered.size > 0
      })
      await still(daemon, 15_000, async () => {
        for (let i = 0; i < 20; i++) await topic.publish(bytes(`while still ${i}`), { recipients: 0 })
      })
      let after = 0
      await until('messages flow again', async () => {
        await topic.publish(bytes(`after ${after++}`), { recipients: 0 })
        return [...delivered.keys()].some((text) => text.startsWith('after'))
      })
      // The numbers of one sender run on: the 20 come after those before.
      const [[earliest, sequence]] = [...delivered] as [[string, number]]
      const first = sequence + before - Number(earliest.slice('before '.length))
      const missing = (): number[] =>
        Array.from({ length: 20 }, (_, i) => i).filter((i) => {
          const number = first + i
          const covered = gaps.some((gap) => gap.first <= number && number <= gap.last)
          return !covered && !delivered.has(`while still ${i}`)
        })
      // A hole in the numbers becomes a gap after a grace.
      await until('all 20 are accounted for', () => missing().length === 0).catch(() => {})
      expect(missing()).toEqual([])
      await subscription.close()
      await reading
      expect(ended).toBe(true)
    } finally {
      await Promise.all([reader.stop(), writer.stop()])
      await Promise.all([daemon.stop(), sender.stop()])
    }
  }, 180_000)

  it.concurrent('a managed daemon, for ever: it is noticed, told, ended and started again, as often as it takes', async () => {
    const repo = join(folder, 'hung')
    const events: BackendEvent[] = []
    const backend = ipfsRpc({ daemon: { binary, repo, hangTimeout: 3_000 }, probeInterval: 200, probeTimeout: 2_000 })
    await backend.start({ onEvent: (event) => events.push(event) })
    try {
      const block = await seededBlock(500, 5)
      await backend.blocks?.putMany([block])
      const inbox = new Inbox()
      await backend.messages?.subscribe('hung', inbox)
      for (let round = 1; round <= 2; round++) {
        const pid = daemonOf(repo)
        process.kill(pid, 'SIGSTOP')
        const hung = (event: BackendEvent): boolean =>
          event.type === 'warning' && event.message.includes('has not answered')
        await until('it is told and ended', () => events.filter(hung).length >= round)
        await until('it is back', () =>
          events.slice(events.findLastIndex(hung)).some(({ type }) => type === 'recovered')
        )
        expect(daemonOf(repo)).not.toBe(pid)
        expect(await backend.blocks?.has(block.cid)).toBe(true)
        await inbox.hasGap(round)
        await until('the subscription is back', async () => {
          await backend.messages?.publish('hung', bytes(`round ${round}`)).catch(() => {})
          return inbox.items.includes(`round ${round}`)
        })
      }
      // A busy machine may answer a look late and seem lost in between.
      const told = events.map(({ type }) => type).filter((type) => type === 'degraded' || type === 'recovered')
      expect(told).toEqual(told.map((_, i) => (i % 2 === 0 ? 'degraded' : 'recovered')))
    } finally {
      await backend.stop()
    }
  }, 180_000)
})
