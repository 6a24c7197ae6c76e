import { equalBytes } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { check, equal, show } from '../../kit/check.ts'
import { idsOf } from '../../kit/parts.ts'
import { uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, present } from './declared.ts'

export const senders: readonly Test[] = [
  {
    name: 'a publisher does not hear itself where echo is not declared',
    when: (c) => c.messages?.echo === false,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [0, 1] })
      await channel.deliver(0, () => uniqueBytes(32), [1])
      await channel.flush(0, [1])
      // A gap and a change of state are its right.
      equal(channel.inbox(0).heard, 0, 'the publisher hears nothing of its own')
    }
  },
  {
    name: 'IncomingMessage.from is the id of the publisher exactly where a sender is declared',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { publishers: [0, 2], subscribers: [1] })
      for (const from of [0, 2]) {
        const sent = await channel.deliver(from, () => uniqueBytes(32), [1])
        const message = channel
          .inbox(1)
          .messages.find(({ payload }) => sent.some((bytes) => equalBytes(bytes, payload)))
        const ids: (string | undefined)[] = declared(t).sender === 'none' ? [undefined] : idsOf(network.at(from))
        check(ids.includes(message?.from), `from is one of ${show(ids)}, as \`sender\` declares`, message?.from)
        await t.pace()
      }
    }
  },
  {
    name: 'no gap is reported where gaps are declared `none`',
    when: (c) => c.messages?.gaps === 'none',
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
      await channel.flush(0, [1])
      equal(channel.inbox(1).gaps.length, 0, 'gaps are not reported where they are declared `none`')
    }
  }
]
