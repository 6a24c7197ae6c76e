import { Channel } from '../../kit/channel.ts'
import { equal, rejects, show } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { declared, present } from './declared.ts'

export const topics: readonly Test[] = [
  {
    name: 'messages of one topic do not reach subscribers of another, however alike their names are',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const base = uniqueName('Topic')
      const channel = await Channel.open(t, network, { topic: `${base}/é`, subscribers: [1] })
      const alike = [base, `${base}/e\u0301`, `${base.toLowerCase()}/é`, `${base}/é/`, ` ${base}/é`, `${base}/é%20`]
      // Brokers have topics that match others. For the port each of these is an ordinary name.
      const others = [...alike, '*', '>', '#', '.*', `${base}/*`, `${base}/+`, `${base}/#`]
      const inboxes: [string, Inbox][] = []
      for (const topic of others) {
        const inbox = new Inbox()
        const subscription = await t.within('subscribe resolves', messagesOf(network.at(1)).subscribe(topic, inbox))
        t.defer(async () => await subscription.close())
        inboxes.push([topic, inbox])
      }
      await channel.deliver(0, () => uniqueBytes(32), [1])
      await channel.flush(0, [1])
      for (const [topic, inbox] of inboxes)
        equal(inbox.heard, 0, `${show(topic)} gets nothing of ${show(channel.topic)}`)
    }
  },
  {
    name: 'topics may be any non-empty text of at most 1,024 bytes of UTF-8',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const name = uniqueName('t')
      const odd = [
        `${name} 云 облако ☁️ \u{1f600}`,
        `/${name}//../..?a=b&c=d#e%2f`,
        `${name}\n\t"'\\ <&>`,
        `${name}${'é'.repeat((1024 - name.length) >> 1)}`,
        `__proto__`
      ]
      for (const topic of odd) {
        const channel = await Channel.open(t, network, { topic, subscribers: [1] })
        await channel.deliver(0, () => uniqueBytes(16), [1])
        await channel.close(1)
      }
    }
  },
  {
    name: 'an empty topic and one over 1,024 bytes are INVALID_ARGUMENT',
    when: present,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      const transport = messagesOf(backend)
      for (const topic of ['', 'a'.repeat(1025), 'é'.repeat(513)]) {
        const codes = ['INVALID_ARGUMENT'] as const
        await rejects(() => transport.publish(topic, uniqueBytes(4)), {
          backend,
          operation: 'messages.publish',
          codes
        })
        await rejects(() => transport.subscribe(topic, new Inbox()), {
          backend,
          operation: 'messages.subscribe',
          codes
        })
        if (declared(t).peers !== 'none')
          await rejects(() => transport.peers(topic), { backend, operation: 'messages.peers', codes })
      }
    }
  }
]
