import { isP2plError, sleep } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { check } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import type { Network } from '../../kit/network.ts'
import { messagesOf } from '../../kit/parts.ts'
import { numbered, numberOf } from '../../kit/samples.ts'
import type { Test, TestRun } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'

const lostAtLeast = 5

/** Numbers the messages that one peer publishes. It does not matter here whether the engine accepts them. */
class Stream {
  readonly #t: TestRun
  readonly #channel: Channel
  next = 0

  constructor(t: TestRun, channel: Channel) {
    this.#t = t
    this.#channel = channel
  }

  async publish(): Promise<void> {
    await this.#channel.publish(0, numbered(this.next++)).catch((error: unknown) => {
      if (!isP2plError(error) || !error.retryable) throw error
    })
    await sleep(Math.max(5, this.#t.capabilities.messages?.pacing ?? 0))
  }
}

/** The numbers of the messages, and the gaps, as the subscriber heard them. */
function heard(inbox: Inbox): (number | 'gap')[] {
  return inbox.log.map((item) => (item === 'gap' ? item : numberOf(item))).filter((item) => item !== -1)
}

interface Joined {
  readonly inboxes: readonly Inbox[]
  readonly stream: Stream
}

/**
 * A topic with two subscriptions of one backend and a message that both have. An engine may lose its connection at any
 * time. Then a gap is honest, and only a new subscription shows whether gaps are reported while nothing is lost.
 */
async function joined(t: TestRun, network: Network): Promise<Joined> {
  for (;;) {
    const interruptions = (): number => network.events[1]?.filter(({ type }) => !type.startsWith('peer:')).length ?? 0
    const before = interruptions()
    const channel = await Channel.open(t, network, { subscribers: [1] })
    const second = new Inbox()
    const subscription = await t.within(
      'a second subscribe resolves',
      messagesOf(network.at(1)).subscribe(channel.topic, second, { signal: t.signal })
    )
    t.defer(async () => await subscription.close())
    const inboxes = [channel.inbox(1), second]
    const stream = new Stream(t, channel)
    await stream.publish()
    await channel.flush(0, inboxes)
    const seen = inboxes.map(({ gaps: reported, states }) => ({ gaps: reported, states }))
    const told = seen.filter((inbox) => inbox.gaps.length > 0)
    if (told.length === 0) return { inboxes, stream }
    const interrupted = interruptions() > before || told.every(({ states }) => states.includes('healing'))
    check(interrupted, 'no gap is reported while nothing is lost', seen)
    check(t.remaining() > 0, 'a subscription hears a message without an interruption', seen)
    await channel.close(1)
    await subscription.close()
  }
}

/** The messages that were published during the cut and never arrive. */
async function lost(t: TestRun, inbox: Inbox, first: number, last: number): Promise<number[]> {
  const missing = (): number[] => {
    const seen = new Set(heard(inbox))
    return Array.from({ length: last - first }, (_value, i) => first + i).filter((n) => !seen.has(n))
  }
  await inbox.untilQuiet(() => missing().length === 0, t.quietMs)
  return missing()
}

export const gaps: readonly Test[] = [
  {
    name: 'a loss while cut off is reported by a gap before any later message, to every subscription, and they go on',
    when: (c) => c.messages !== undefined && c.messages.gaps !== 'none',
    run: async (t) => {
      const network = await t.shared('pair')
      const { inboxes, stream } = await joined(t, network)

      const heal = await t.cut(network, 1)
      const first = stream.next
      while (stream.next < first + lostAtLeast) await stream.publish()
      const back = stream.next
      const healing = outcomeOf(heal())
      const later = (inbox: Inbox): number => heard(inbox).findIndex((item) => item !== 'gap' && item >= back)
      // Publishing starts before the network is back. So a gap that comes after a later message is detected.
      while (inboxes.some((inbox) => later(inbox) < 0)) {
        check(t.remaining() > 0, 'messages arrive at every subscription after a cut', inboxes.map(heard).join(' | '))
        await stream.publish()
      }
      const healed = await healing
      if ('error' in healed) throw healed.error
      for (const inbox of inboxes) {
        const inTime = heard(inbox).slice(0, later(inbox)).includes('gap')
        const missing = inTime ? [] : await lost(t, inbox, first, back)
        check(
          missing.length === 0,
          'a gap is reported before the first message after a loss',
          `lost ${missing.join(' ')}, heard ${heard(inbox).join(' ')}`
        )
        const numbers = heard(inbox).filter((item) => item !== 'gap')
        const doubled = numbers.length - new Set(numbers).size
        check(
          doubled <= (t.capabilities.messages?.delivery === 'reliable' ? 0 : 1),
          'messages from before a cut are not delivered again after it',
          heard(inbox).join(' ')
        )
        check(
          inbox.gaps.every(({ reason }) => reason === 'disconnected' || reason === 'overflow'),
          'a gap has a reason of the port',
          inbox.gaps
        )
        check(
          inbox.gaps.every(({ lasted }) => lasted === undefined || (lasted >= 0 && lasted < Infinity)),
          'a gap has lasted a number of milliseconds',
          inbox.gaps
        )
        check(
          inbox.states.every((state, i) => state === (i % 2 === 0 ? 'healing' : 'live')),
          'the state of a subscription changes from live to healing and back',
          inbox.states
        )
        check(
          await inbox.until(() => inbox.states.at(-1) !== 'healing', t.remaining()),
          'a subscription that delivers again is live again',
          inbox.states
        )
      }
    }
  }
]
