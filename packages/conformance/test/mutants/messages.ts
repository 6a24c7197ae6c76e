import type { Joined } from '@p2pl/core/backend'
import { deaf, failure, inMessages, runs, type Mutant } from './mutant.ts'
import { publishing, receiving, renaming } from './receiving.ts'

const plain = (payload: Uint8Array): Uint8Array => payload

export const messageMutants: readonly Mutant[] = [
  receiving('bytes are changed on the way', /reaches every subscriber/, () => (message, next) => {
    next({
      ...message,
      payload: message.payload.byteLength > 900 ? message.payload.map((byte) => byte ^ 1) : message.payload
    })
  }),
  inMessages('only one of two peers receives', /reaches every subscriber/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) => {
      const last = [...node.network.engines.keys()].at(-1) === node.store.id
      return await messages.subscribe(topic, last ? deaf : subscriber, options)
    }
  })),
  renaming('topics are case-insensitive', /do not reach subscribers of another/, (topic) => topic.toLowerCase()),
  renaming('topics are normalised', /do not reach subscribers of another/, (topic) => topic.normalize('NFC')),
  renaming('topics are trimmed', /do not reach subscribers of another/, (topic) =>
    topic === '' ? topic : topic.trim()
  ),
  renaming('topics match by prefix', /do not reach subscribers of another/, (topic) => topic.split('/é')[0] || topic),
  publishing('the empty payload is dropped', /opaque/, (payload) =>
    payload.byteLength === 0 ? Uint8Array.of(0) : payload
  ),
  publishing('payloads are taken for text', /opaque|reaches every/, (payload) =>
    new TextEncoder().encode(new TextDecoder().decode(payload))
  ),
  publishing('large payloads are cut', /payload of maxMessageBytes arrives/, (payload) => payload.subarray(0, 60_000)),
  inMessages('a payload of the declared size is refused', /payload of maxMessageBytes arrives/, (messages) => ({
    publish: async (topic, payload, options) => {
      if (payload.byteLength > 60_000) throw failure('TOO_LARGE', 'messages.publish', 'too large')
      return await messages.publish(topic, payload, options)
    }
  })),
  {
    ...publishing('payloads over the limit are cut, not refused', /over maxMessageBytes is TOO_LARGE/, plain),
    mutate: (node) => publishing('', /x/, (payload) => payload.subarray(0, 64 * 1024)).mutate(node)
  },
  inMessages(
    'payloads over the limit are sent in parts, then refused',
    /over maxMessageBytes is TOO_LARGE/,
    (messages) => ({
      publish: async (topic, payload, options) => {
        if (payload.byteLength > 64 * 1024) await messages.publish(topic, payload.subarray(0, 64 * 1024), options)
        return await messages.publish(topic, payload, options)
      }
    })
  ),
  renaming('topics lose what is not ASCII', /topics may be any/, (topic) =>
    topic.includes('\u{1f600}') ? `${topic}${Math.random()}` : topic
  ),
  inMessages('topics with line breaks are refused', /topics may be any/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      if (topic.includes('\n')) throw failure('INVALID_ARGUMENT', 'messages.subscribe', 'no line breaks')
      return await messages.subscribe(topic, subscriber, options)
    }
  })),
  inMessages('long topics are refused', /topics may be any/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      if (topic.length > 255) throw failure('INVALID_ARGUMENT', 'messages.subscribe', 'too long')
      return await messages.subscribe(topic, subscriber, options)
    }
  })),
  renaming('an empty topic is taken', /an empty topic/, (topic) => (topic === '' ? 'default' : topic)),
  renaming('the length of topics is counted in characters', /an empty topic/, (topic) =>
    topic.length <= 1024 ? topic.slice(0, 500) : topic
  ),
  inMessages('an invalid topic is UNSUPPORTED', /an empty topic/, (messages) => ({
    publish: async (topic, payload, options) => {
      if (topic === '') throw failure('UNSUPPORTED', 'messages.publish', 'no')
      return await messages.publish(topic, payload, options)
    }
  })),
  inMessages('a second subscription of a topic replaces the first', /several subscriptions/, (messages, node) => {
    const current = new Map<string, { engine: unknown; subscription: Joined }>()
    return {
      subscribe: async (topic, subscriber, options) => {
        const before = current.get(topic)
        if (before !== undefined && before.engine === node.engine) await before.subscription.close()
        const subscription = await messages.subscribe(topic, subscriber, options)
        current.set(topic, { engine: node.engine, subscription })
        return subscription
      }
    }
  }),
  inMessages('closing one subscription closes all of its topic', /several subscriptions/, (messages) => {
    const all = new Map<string, Joined[]>()
    return {
      subscribe: async (topic, subscriber, options) => {
        const subscription = await messages.subscribe(topic, subscriber, options)
        all.set(topic, [...(all.get(topic) ?? []), subscription])
        return {
          close: async () => {
            for (const each of all.get(topic) ?? []) await each.close()
          }
        }
      }
    }
  }),
  inMessages('a second subscription of a topic is refused', /several subscriptions/, (messages) => {
    const open = new Set<string>()
    return {
      subscribe: async (topic, subscriber, options) => {
        if (open.has(topic)) throw failure('INVALID_ARGUMENT', 'messages.subscribe', 'subscribed already')
        const subscription = await messages.subscribe(topic, subscriber, options)
        open.add(topic)
        return {
          close: async () => {
            open.delete(topic)
            await subscription.close()
          }
        }
      }
    }
  }),
  inMessages('close does not stop the calls', /after close\(\) no call|several subscriptions/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      await messages.subscribe(topic, subscriber, options)
      return { close: async () => undefined }
    }
  })),
  inMessages('calls go on until close has resolved', /after close\(\) no call/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      return {
        close: async () => {
          await new Promise((resolve) => setTimeout(resolve, 3))
          await subscription.close()
        }
      }
    }
  })),
  inMessages('a second close fails', /after close\(\) no call/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      let closed = false
      return {
        close: async () => {
          if (closed) throw failure('INVALID_ARGUMENT', 'messages.subscribe', 'closed already')
          closed = true
          await subscription.close()
        }
      }
    }
  })),
  inMessages('a topic that was left cannot be joined again', /subscribing again works/, (messages) => {
    const left = new Map<string, number>()
    return {
      subscribe: async (topic, subscriber, options) => {
        const isDeaf = (left.get(topic) ?? 0) > 0
        const subscription = await messages.subscribe(topic, isDeaf ? deaf : subscriber, options)
        return {
          close: async () => {
            left.set(topic, (left.get(topic) ?? 0) + 1)
            await subscription.close()
          }
        }
      }
    }
  }),
  inMessages('a subscriber cannot publish', /every peer may publish/, (messages, node) => ({
    publish: async (topic, payload, options) =>
      node.engine?.topics.has(topic) === true ? { recipients: 1 } : await messages.publish(topic, payload, options)
  })),
  inMessages('publishing needs a subscription', /does not need a subscription|reaches every/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      if (runs(node) && node.engine?.topics.has(topic) !== true)
        throw failure('INVALID_ARGUMENT', 'messages.publish', 'subscribe first')
      return await messages.publish(topic, payload, options)
    }
  })),
  inMessages('publishing without a subscriber fails', /does not need a subscription/, (messages) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      if (result.recipients === 0) throw failure('NO_PEERS', 'messages.publish', 'nobody is there')
      return result
    }
  }))
]
