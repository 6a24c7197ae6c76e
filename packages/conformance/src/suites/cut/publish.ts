import { Channel } from '../../kit/channel.ts'
import { check, equal, whileCut } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import type { Network } from '../../kit/network.ts'
import { idsOf, messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test, TestRun } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'
import { present } from '../messages/declared.ts'
import { brief, hasNoticed } from './calls.ts'

/**
 * Publishes during the cut until the backend admits that nobody gets the message, by an error or by 0 recipients, or until
 * a message arrives. Returns the messages that the backend claims to have sent: none if it admitted the cut. `reached`: a
 * message has arrived, so the cut leaves a way to the other peer, such as a connection between two pages.
 */
async function publishWhileCut(
  t: TestRun,
  network: Network,
  channel: Channel
): Promise<{ claimed: readonly Uint8Array[]; reached: boolean }> {
  const backend = network.at(0)
  const claimed: Uint8Array[] = []
  const inbox = channel.inbox(1)
  // Engines need up to 8 s to notice that a link is dead. Half of the default patience would be less.
  const end = performance.now() + (t.remaining() * 2) / 3
  for (let wait = 10; performance.now() < end; wait = Math.min(wait * 2, 500)) {
    const payload = uniqueBytes(40)
    const outcome = await t.within(
      'publish while cut off ends when its signal fires',
      outcomeOf(messagesOf(backend).publish(channel.topic, payload.slice(), { signal: brief(t) }))
    )
    if ('error' in outcome) {
      whileCut(outcome.error, { backend, operation: 'messages.publish', codes: [] })
      return { claimed: [], reached: false }
    }
    const { recipients } = outcome.value
    if (recipients === 0 || (recipients === undefined && t.kit.fixture.cutsFrom === 'peers'))
      return { claimed: [], reached: false }
    claimed.push(payload)
    await t.pace()
    if (await inbox.until(() => inbox.count(payload) > 0, wait)) return { claimed: [], reached: true }
  }
  return { claimed, reached: false }
}

/** Waits until the engine has noticed that the other peer is out of reach. */
async function cutConnectionIsGone(t: TestRun, network: Network): Promise<void> {
  const gone = await hasNoticed(t, t.remaining() / 2, network.at(0), idsOf(network.at(1)))
  check(gone, 'a connection that was cut is not listed for longer than some seconds', 'it is listed')
}

export const publishing: readonly Test[] = [
  {
    name: 'a publish while cut off is refused with a retryable error, reports no recipient, or arrives later',
    when: present,
    run: async (t) => {
      const network = await t.shared('pair')
      const channel = await Channel.open(t, network, { subscribers: [1] })
      const heal = await t.cut(network, 0)
      const { claimed, reached } = await publishWhileCut(t, network, channel)
      if (!reached) await cutConnectionIsGone(t, network)
      await heal()
      await channel.warm(0, [1])
      const inbox = channel.inbox(1)
      const arrived = (): number => claimed.filter((payload) => inbox.count(payload) > 0).length
      await inbox.untilQuiet(() => arrived() === claimed.length, t.quietMs)
      check(
        claimed.length === 0 || arrived() > 0,
        'a publish that did not happen rejects with a retryable error',
        `${claimed.length} publishes resolved while the backend was cut off, and none arrived`
      )
      await channel.deliver(0, () => uniqueBytes(32), [1])
    }
  },
  {
    name: 'a subscribe while cut off delivers once the network is back or is refused with a retryable error, and a close stays closed',
    when: present,
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(1)
      const topic = uniqueName('topic')
      const [inbox, left] = [new Inbox(), new Inbox()]
      const leaving = await t.within('subscribe resolves', messagesOf(backend).subscribe(topic, left))
      const heal = await t.cut(network, 1)
      await t.within('close() of a subscription while cut off resolves', leaving.close())
      const before = left.calls.length
      const outcome = await t.within(
        'subscribe while cut off ends when its signal fires',
        outcomeOf(messagesOf(backend).subscribe(topic, inbox, { signal: brief(t) }))
      )
      await heal()
      const channel = await Channel.open(t, network, { topic, subscribers: [1] })
      equal(
        left.calls.length,
        before,
        'a subscription that was closed while cut off gets nothing once the network is back'
      )
      if ('error' in outcome) {
        whileCut(outcome.error, { backend, operation: 'messages.subscribe', codes: [] })
        return
      }
      t.defer(async () => await outcome.value.close())
      await channel.deliver(0, () => uniqueBytes(32), [1, inbox])
    }
  }
]
