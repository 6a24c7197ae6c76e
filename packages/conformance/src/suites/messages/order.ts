import { Channel } from '../../kit/channel.ts'
import { check, equal } from '../../kit/check.ts'
import { numbered, numberOf, uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, present } from './declared.ts'

const oneByOne = 40
const atOnce = 20

export const order: readonly Test[] = [
  {
    name: 'messages of one sender arrive in the order of their publishes where ordering is declared, of any size and at once',
    when: (c) => c.messages?.ordering === 'sender',
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'))
      const { maxMessageBytes, pacing } = declared(t)
      const publish = async (n: number, length?: number): Promise<unknown> =>
        await channel.publish(0, numbered(n, length))
      for (let n = 0; n < oneByOne; n++) {
        await publish(n, n % 4 === 0 ? Math.min(maxMessageBytes, 32 * 1024) : 0)
        await t.pace()
      }
      const count = pacing === 0 ? oneByOne + atOnce : oneByOne
      await Promise.all(Array.from({ length: count - oneByOne }, async (_value, i) => await publish(oneByOne + i)))
      for (const index of [1, 2]) {
        const inbox = channel.inbox(index)
        const seen = (): number[] => inbox.messages.map(({ payload }) => numberOf(payload))
        // A late message is just as much out of order, so the test looks at all that arrive.
        await inbox.untilQuiet(() => new Set(seen()).size === count, t.quietMs)
        check(seen().length > 0, 'messages arrive', seen())
        check(
          seen().every((n, i, all) => i === 0 || n >= (all[i - 1] as number)),
          'messages of one sender arrive in the order of their publishes',
          seen().join(' ')
        )
      }
    }
  },
  {
    name: 'where delivery is reliable, each of many messages arrives exactly once; otherwise rarely more often',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'))
      const sent: Uint8Array[] = []
      for (let i = 0; i < 40; i++) {
        const payload = uniqueBytes(100)
        sent.push(payload)
        await channel.publish(0, payload)
        await t.pace()
      }
      const reliable = declared(t).delivery === 'reliable'
      for (const index of [1, 2]) {
        const inbox = channel.inbox(index)
        const complete = (): boolean => sent.every((payload) => inbox.count(payload) > 0)
        if (reliable)
          check(
            await inbox.until(complete, t.remaining()),
            'every message arrives',
            `${inbox.messages.length} of ${sent.length}`
          )
      }
      sent.push(...(await channel.flush(0, [1, 2])))
      for (const index of [1, 2]) {
        const counts = sent.map((payload) => channel.inbox(index).count(payload))
        const doubled = counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
        check(doubled <= (reliable ? 0 : sent.length / 10), 'nothing is delivered twice on purpose', counts)
        const arrived = counts.reduce((sum, count) => sum + count, 0)
        equal(
          channel.inbox(index).messages.length,
          arrived,
          'the bytes of every message stay those that were published'
        )
      }
    }
  }
]
