import { equalBytes } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { check, rejects } from '../../kit/check.ts'
import { messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, present } from './declared.ts'

/** The largest payload that the kit makes, in bytes. */
const largestTried = 8 * 1024 * 1024

export const delivery: readonly Test[] = [
  {
    name: 'a message reaches every subscriber of its topic, unchanged',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'))
      const payload = uniqueBytes(1000)
      const sent = await channel.deliver(0, (n) => (n === 0 ? payload.slice() : uniqueBytes(1000)), [1, 2])
      for (const index of [1, 2]) {
        for (const { payload: seen } of channel.inbox(index).messages)
          check(
            sent.some((bytes) => equalBytes(bytes, seen)),
            'only published messages arrive',
            seen
          )
      }
    }
  },
  {
    name: 'a message is opaque: every byte value and the empty payload arrive as they are',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
      const all = Uint8Array.from({ length: 512 }, (_value, i) => i & 0xff)
      await channel.deliver(0, (n) => (n === 0 ? all : Uint8Array.of(...all, n)), [1])
      await t.pace()
      if (declared(t).delivery === 'reliable') await channel.deliver(0, () => new Uint8Array(0), [1])
      else {
        // This message may be lost, and a network may not distinguish a second one from the first, so it only has to be accepted.
        await channel.publish(0, new Uint8Array(0))
        await channel.flush(0, [1])
      }
    }
  },
  {
    name: 'a payload of maxMessageBytes arrives',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'))
      const size = Math.min(declared(t).maxMessageBytes, largestTried)
      await channel.deliver(0, () => uniqueBytes(size), [1, 2])
    }
  },
  {
    name: 'a payload over maxMessageBytes is TOO_LARGE, and nothing of it is sent',
    when: (c) => c.messages !== undefined && c.messages.maxMessageBytes <= largestTried,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { subscribers: [1] })
      const backend = network.at(0)
      const payload = uniqueBytes(declared(t).maxMessageBytes + 1)
      await rejects(() => channel.publish(0, payload), {
        backend,
        operation: 'messages.publish',
        codes: ['TOO_LARGE']
      })
      await channel.flush(0, [1])
      check(
        channel.inbox(1).messages.every((message) => message.payload.byteLength < payload.byteLength / 2),
        'nothing of a payload that is too large arrives',
        channel.inbox(1).messages.map((message) => message.payload.byteLength)
      )
    }
  },
  {
    name: 'every peer may publish and subscribe at once',
    when: present,
    run: async (t) => {
      const all = [0, 1, 2]
      const channel = await Channel.open(t, await t.shared('trio'), { publishers: all, subscribers: all })
      for (const from of all) {
        await channel.deliver(
          from,
          () => uniqueBytes(48),
          all.filter((index) => index !== from)
        )
        await t.pace()
      }
    }
  },
  {
    name: 'publishing does not need a subscription, nor a subscriber anywhere',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const result = await t.within(
        'publish to a topic of nobody resolves',
        messagesOf(network.at(0)).publish(uniqueName('nobody'), uniqueBytes(16), { signal: t.signal })
      )
      check(typeof result === 'object', 'publish resolves with a result', result)
    }
  }
]
