import type { Capabilities, MessageCapabilities } from '@p2pl/core/backend'
import { Channel } from '../kit/channel.ts'
import { check, equal, equalBytes, rejects, show } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import { messagesOf, type Suite, type TestRun } from '../kit/kit.ts'
import { uniqueBytes, uniqueName } from '../kit/samples.ts'

function declared(t: TestRun): MessageCapabilities {
  return t.capabilities.messages as MessageCapabilities
}

const present = (c: Capabilities): boolean => c.messages !== undefined
/** The largest payload that the kit makes, in bytes. */
const largestTried = 8 * 1024 * 1024

export const messages: Suite = {
  name: 'messages',
  tests: [
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
              'nothing arrives but what was published',
              seen
            )
        }
      }
    },
    {
      name: 'messages of one topic do not reach subscribers of another, however alike their names are',
      when: present,
      run: async (t) => {
        const network = await t.shared('trio')
        const base = uniqueName('Topic')
        const channel = await Channel.open(t, network, { topic: `${base}/é`, subscribers: [1] })
        const others = [base, `${base}/e\u0301`, `${base.toLowerCase()}/é`, `${base}/é/`, ` ${base}/é`, `${base}/é%20`]
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
          equal(inbox.calls.length, 0, `${show(topic)} gets nothing of ${show(channel.topic)}`)
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
        if (declared(t).delivery === 'reliable' || declared(t).duplicates === 'delivered')
          await channel.deliver(0, () => new Uint8Array(0), [1])
        else {
          // One that was lost cannot be sent again where equal bytes are collapsed: it must only be taken.
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
        // Counted from the call of close() on, not from its end.
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
    },
    {
      name: 'every participant may publish and subscribe at once',
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
}
