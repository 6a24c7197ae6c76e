import type { PublishResult } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { check, equal, rejects } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { idsOf, messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { poll } from '../../kit/time.ts'
import { declared, present } from './declared.ts'

/** Publishes until each of `others` has a message. Returns the published payloads, each with its number of recipients. */
async function delivered(
  channel: Channel,
  others: readonly number[]
): Promise<(readonly [Uint8Array, PublishResult['recipients']])[]> {
  const all: (readonly [Uint8Array, PublishResult['recipients']])[] = []
  await channel.deliver(
    0,
    () => uniqueBytes(16),
    others,
    (payload, { recipients }) => all.push([payload, recipients])
  )
  return all
}

export const counts: readonly Test[] = [
  {
    name: 'publish resolves with the number of recipients exactly where it is declared, and counts no more than listen',
    when: present,
    run: async (t) => {
      for (const subscribers of [
        [1, 2],
        [0, 1]
      ]) {
        // For each, the test has its whole time.
        const network = await t.shared('trio')
        const channel = await Channel.open(t, network, { subscribers })
        const others = subscribers.filter((index) => index !== 0)
        await t.pace()
        for (const [payload, recipients] of await delivered(channel, others)) {
          if (declared(t).recipients === 'none')
            return equal(recipients, undefined, 'recipients are absent where they are declared `none`')
          check(Number.isInteger(recipients), 'recipients are a whole number', recipients)
          // While a connection is being made again, a message may have no recipient. Then nobody receives it.
          if (others.some((index) => channel.inbox(index).count(payload) > 0))
            check((recipients ?? 0) >= 1, 'a message that others receive has a recipient', recipients)
          check(
            (recipients ?? 0) <= others.length,
            `a message to ${others.length} remote subscribers has no more recipients`,
            recipients
          )
        }
        for (const index of subscribers) await channel.close(index)
        const left = await poll(t.remaining(), async () => {
          await t.pace()
          return (await channel.publish(0, uniqueBytes(16))).recipients === 0 ? true : undefined
        })
        check(left === true, 'a peer that left the topic is no recipient any more', left)
      }
      const solo = (await t.shared('solo')).at(0)
      const topic = uniqueName('topic')
      const subscription = await messagesOf(solo).subscribe(topic, new Inbox())
      t.defer(async () => await subscription.close())
      const alone = await t.within(
        'publish alone resolves',
        messagesOf(solo).publish(topic, uniqueBytes(16), { signal: t.signal })
      )
      equal(alone.recipients, 0, 'alone, a message has 0 recipients')
    }
  },
  {
    name: 'peers(topic) lists the remote peers of the topic and nobody else; it is refused where it is declared `none`',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      if (declared(t).peers === 'none') {
        await rejects(() => messagesOf(backend).peers(uniqueName('topic')), {
          backend,
          operation: 'messages.peers',
          codes: ['UNSUPPORTED']
        })
        return
      }
      const channel = await Channel.open(t, network, { subscribers: [0, 1] })
      const ids = async (): Promise<string[]> => (await messagesOf(backend).peers(channel.topic)).map(({ id }) => id)
      const subscribed = idsOf(network.at(1))
      const listed = await poll(t.remaining() / 2, async () => {
        const list = await ids()
        return list.length > 0 ? list : undefined
      })
      check(
        listed?.length === 1 && subscribed.includes(listed[0] as string),
        'peers() lists the one remote subscriber, once',
        listed
      )
      if (declared(t).recipients !== 'none') {
        const counted = await poll(t.remaining() / 2, async () => {
          const before = await ids()
          await t.pace()
          const { recipients } = await channel.publish(0, uniqueBytes(16))
          const after = await ids()
          // A connection that was lost in between has taken the peer from the topic.
          return recipients !== 0 || (before.length > 0 && after.length > 0) ? { recipients } : undefined
        })
        check(
          (counted?.recipients ?? 0) >= 1,
          'with a peer of the topic, publish reports at least one recipient',
          counted?.recipients
        )
      }
      await channel.close(1)
      const left = await poll(t.remaining(), async () => ((await ids()).length === 0 ? true : undefined))
      check(left === true, 'a peer that left the topic is not listed any more', await ids())
      const solo = (await t.shared('solo')).at(0)
      equal((await messagesOf(solo).peers(channel.topic)).length, 0, 'alone, a topic has no peers')
    }
  }
]
