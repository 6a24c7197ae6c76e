import { Channel } from '../../kit/channel.ts'
import { check, equal } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, present } from './declared.ts'

export const subscriptions: readonly Test[] = [
  {
    name: 'where delivery is reliable, the first message that is published after subscribe has resolved arrives',
    when: (c) => c.messages?.delivery === 'reliable',
    run: async (t) => {
      const channel = new Channel(t, await t.shared('trio'), uniqueName('topic'))
      const inbox = await channel.subscribe(1)
      const payload = uniqueBytes(32)
      await channel.publish(0, payload.slice())
      const arrived = await inbox.until(() => inbox.count(payload) > 0, t.remaining())
      check(arrived, 'a subscribe that has resolved has joined the topic', `${inbox.messages.length} messages`)
    }
  },
  {
    name: 'several subscriptions of one topic are independent: each gets every message once, and one may close',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { subscribers: [1] })
      const second = new Inbox()
      const subscription = await t.within(
        'a second subscribe of one topic resolves',
        messagesOf(network.at(1)).subscribe(channel.topic, second, { signal: t.signal })
      )
      t.defer(async () => await subscription.close())
      const sent = await channel.deliver(0, () => uniqueBytes(32), [1, second])
      await channel.flush(0, [1, second])
      if (declared(t).delivery === 'reliable')
        for (const bytes of sent)
          for (const inbox of [channel.inbox(1), second])
            equal(inbox.count(bytes), 1, 'each subscription gets the message once')
      await channel.close(1)
      const closed = channel.inbox(1).calls.length
      await channel.deliver(0, () => uniqueBytes(32), [second])
      equal(channel.inbox(1).calls.length, closed, 'a closed subscription gets nothing')
    }
  },
  {
    name: 'after close() no call of the subscriber starts, and close() is idempotent',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { subscribers: [1, 2] })
      const inbox = channel.inbox(1)
      const publishing = channel.publish(0, uniqueBytes(64))
      const closing = channel.close(1)
      // Counted from the call of close(), not from its end.
      const before = inbox.calls.length
      await publishing
      await closing
      await channel.flush(0, [2])
      equal(inbox.calls.length, before, 'no call of the subscriber starts after close() was called')
      await channel.close(1)
    }
  },
  {
    name: 'closing and subscribing again works',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
      for (let round = 0; round < 3; round++) {
        await channel.close(1)
        await channel.subscribe(1)
        await channel.warm(0, [1])
      }
      await channel.deliver(0, () => uniqueBytes(32), [1])
    }
  }
]
