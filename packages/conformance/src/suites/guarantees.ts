import type { Capabilities, MessageCapabilities } from '@p2pl/core/backend'
import { Channel } from '../kit/channel.ts'
import { check, equal, equalBytes, rejects, sameBytes } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import { messagesOf, type Suite, type TestRun } from '../kit/kit.ts'
import { uniqueBytes, uniqueName } from '../kit/samples.ts'
import { poll } from '../kit/time.ts'

function declared(t: TestRun): MessageCapabilities {
  return t.capabilities.messages as MessageCapabilities
}

const present = (c: Capabilities): boolean => c.messages !== undefined
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Unique bytes that begin with a mark. */
function marked(mark: number): () => Uint8Array {
  return () => {
    const bytes = uniqueBytes(24)
    bytes[0] = mark
    return bytes
  }
}

export const guarantees: Suite = {
  name: 'messages: what is declared of them',
  tests: [
    {
      name: 'publish resolves with the number of recipients exactly where it is declared',
      when: present,
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'))
        await t.pace()
        const { recipients } = await channel.publish(0, uniqueBytes(16))
        if (declared(t).recipients === 'none')
          return equal(recipients, undefined, 'recipients are absent where they are declared `none`')
        check(Number.isInteger(recipients), 'recipients are a whole number', recipients)
        check((recipients ?? 0) >= 1, 'a message that others receive has a recipient', recipients)
        const solo = (await t.shared('solo')).at(0)
        const subscription = await messagesOf(solo).subscribe(channel.topic, new Inbox())
        t.defer(async () => await subscription.close())
        const alone = await t.within(
          'publish alone resolves',
          messagesOf(solo).publish(channel.topic, uniqueBytes(16), { signal: t.signal })
        )
        equal(alone.recipients, 0, 'alone, a message has 0 recipients')
      }
    },
    {
      name: 'peers(topic) lists the remote participants of the topic, truthfully; it is refused where it is declared `none`',
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
        const [self, one, two] = network.backends.map((participant) => participant.self().id)
        const peers = await poll(t.remaining(), async () => {
          const list = await messagesOf(backend).peers(channel.topic)
          return list.length > 0 ? list : undefined
        })
        check(peers !== undefined, 'a subscriber that hears us is a peer of the topic', peers)
        const ids = peers.map(({ id }) => id)
        check(!ids.includes(self as string), 'the own participant is not among the peers', ids)
        check(
          ids.every((id) => id === one || id === two),
          'peers are participants of the network, by their id',
          ids
        )
        equal(new Set(ids).size, ids.length, 'each peer is listed once')
        await t.pace()
        const { recipients } = await channel.publish(0, uniqueBytes(16))
        if (declared(t).recipients !== 'none')
          check((recipients ?? 0) >= 1, 'with a peer of the topic, publish reports at least one recipient', recipients)
        const solo = (await t.shared('solo')).at(0)
        equal((await messagesOf(solo).peers(channel.topic)).length, 0, 'alone, a topic has no peers')
      }
    },
    {
      name: 'a publisher does not hear itself where echo is not declared',
      when: (c) => c.messages?.echo === false,
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [0, 1] })
        await channel.deliver(0, () => uniqueBytes(32), [1])
        await channel.flush(0, [1])
        equal(channel.inbox(0).calls.length, 0, 'the publisher hears nothing of its own')
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
          const expected = declared(t).sender === 'none' ? undefined : network.at(from).self().id
          equal(message?.from, expected, 'from is as `sender` declares')
          await t.pace()
        }
      }
    },
    {
      name: 'messages of one sender arrive in the order of their publishes where ordering is declared',
      when: (c) => c.messages?.ordering === 'sender',
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'))
        for (let i = 0; i < 40; i++) {
          await channel.publish(0, text(`order-${String(i).padStart(3, '0')}`))
          await t.pace()
        }
        await channel.flush(0, [1, 2])
        for (const index of [1, 2]) {
          const seen = channel
            .inbox(index)
            .messages.map(({ payload }) => new TextDecoder().decode(payload))
            .filter((word) => word.startsWith('order-'))
          check(seen.length > 0, 'messages arrive', seen)
          check(
            seen.every((word, i) => i === 0 || word >= (seen[i - 1] as string)),
            'messages of one sender arrive in the order of their publishes',
            seen
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
        await channel.flush(0, [1, 2])
        for (const index of [1, 2]) {
          const counts = sent.map((payload) => channel.inbox(index).count(payload))
          const doubled = counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
          check(doubled <= (reliable ? 0 : sent.length / 10), 'nothing is delivered twice on purpose', counts)
        }
      }
    },
    {
      name: 'two publishes of equal bytes are both delivered where duplicates are declared `delivered`',
      when: (c) => c.messages?.duplicates === 'delivered',
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
        const payload = uniqueBytes(32)
        const inbox = channel.inbox(1)
        const reliable = declared(t).delivery === 'reliable'
        for (let published = 0; inbox.count(payload) < 2; published++) {
          check(t.remaining() > 0, 'equal bytes are delivered again', `${inbox.count(payload)} of ${published}`)
          if (published < 2 || !reliable) await channel.publish(0, payload.slice())
          await t.pace()
          const wanted = Math.min(published + 1, 2)
          await inbox.until(() => inbox.count(payload) >= wanted, Math.min(200, t.remaining()))
        }
      }
    },
    {
      name: 'publishes of equal bytes are delivered once where duplicates are declared `collapsed`',
      when: (c) => c.messages?.duplicates === 'collapsed',
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
        const payloads = Array.from({ length: 5 }, () => uniqueBytes(32))
        for (const payload of [...payloads, ...payloads, ...payloads]) {
          await channel.publish(0, payload.slice())
          await t.pace()
        }
        await channel.flush(0, [1])
        const counts = payloads.map((payload) => channel.inbox(1).count(payload))
        check(counts.reduce((a, b) => a + b, 0) <= 6, 'equal bytes are delivered once', counts)
      }
    },
    {
      name: 'a payload is not changed, nor kept by reference after publish has resolved',
      when: present,
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1, 2] })
        for (let round = 0; round < 5; round++) {
          const copy = uniqueBytes(256)
          const payload = copy.slice()
          await channel.publish(0, payload)
          sameBytes(payload, copy, 'publish does not change the payload')
          payload.fill(0xee)
          await t.pace()
        }
        await channel.flush(0, [1, 2])
        for (const index of [1, 2])
          equal(
            channel.inbox(index).count(new Uint8Array(256).fill(0xee)),
            0,
            'bytes that were changed after publish do not arrive'
          )
      }
    },
    {
      name: 'bytes handed to one subscriber are not those of another',
      when: present,
      run: async (t) => {
        const network = await t.shared('trio')
        const channel = await Channel.open(t, network)
        const sent = await channel.deliver(0, () => uniqueBytes(64), [1, 2])
        for (const message of channel.inbox(1).messages) message.payload.fill(0)
        check(
          sent.some((bytes) => channel.inbox(2).count(bytes) > 0),
          'what one subscriber does to its bytes does not show at another participant',
          channel.inbox(2).messages.map(({ payload }) => payload)
        )
      }
    },
    {
      name: 'a validator is refused where validation is declared `none`',
      when: (c) => c.messages?.validation === 'none',
      run: async (t) => {
        const backend = (await t.shared('trio')).at(1)
        const inbox = new Inbox().judge(() => 'accept')
        await rejects(() => messagesOf(backend).subscribe(uniqueName('topic'), inbox), {
          backend,
          operation: 'messages.subscribe',
          codes: ['UNSUPPORTED']
        })
      }
    },
    {
      name: 'a validator is asked before the message, and only what it accepts is delivered',
      when: (c) => c.messages !== undefined && c.messages.validation !== 'none',
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), {
          subscribers: [1],
          judge: ({ payload }) => {
            switch (payload[0]) {
              case 1:
                return 'reject'
              case 2:
                return 'ignore'
              case 3:
                return Promise.resolve('ignore')
              case 4:
                return Promise.reject(new Error('the validator failed'))
              case 5:
                return Promise.resolve('accept')
              default:
                return 'accept'
            }
          }
        })
        const inbox = channel.inbox(1)
        for (const mark of [1, 2, 3, 4]) {
          for (let i = 0; i < 3; i++) {
            await channel.publish(0, marked(mark)())
            await t.pace()
          }
        }
        await channel.deliver(0, marked(5), [1])
        await channel.deliver(0, marked(6), [1])
        await channel.flush(0, [1])
        const seen = inbox.messages.map(({ payload }) => payload[0])
        for (const mark of [1, 2, 3, 4])
          check(
            !seen.includes(mark),
            `a message is not delivered when its verdict is ${['reject', 'ignore', 'a promised ignore', 'a failed promise'][mark - 1]}`,
            seen
          )
        equal(inbox.calls[0], 'validate', 'the validator is asked first')
      }
    },
    {
      name: 'a gap is reported, before later messages, when messages may have been lost; the subscription goes on',
      when: (c) => c.messages !== undefined && c.messages.gaps !== 'none',
      run: async (t) => {
        const network = await t.fresh(3)
        await t.within('all start', network.startAll())
        await t.within('link() resolves', network.link())
        const channel = await Channel.open(t, network, { subscribers: [1] })
        const inbox = channel.inbox(1)
        equal(inbox.gaps.length, 0, 'no gap is reported while nothing is lost')
        await t.within('interrupt resolves', network.interrupt(1))
        check(
          await inbox.until(() => inbox.gaps.length > 0, t.remaining()),
          'a gap is reported after an interruption',
          inbox.calls
        )
        check(
          inbox.gaps.every(({ reason }) => reason === 'disconnected' || reason === 'overflow'),
          'a gap has a reason of the port',
          inbox.gaps
        )
        await channel.warm(0, [1])
        await channel.deliver(0, () => uniqueBytes(32), [1])
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
}
