import type { IncomingMessage, Subscriber, TransportSubscription, Verdict } from '@p2pl/core/backend'
import { declaring, inMessages, type Mutant } from './mutant.ts'

type Receive = (message: IncomingMessage, next: (message: IncomingMessage) => void) => void

/** Changes what a subscriber receives. */
function receiving(
  name: string,
  caughtBy: RegExp,
  make: (topic: string, id: string) => Receive,
  rest: Parameters<typeof inMessages>[3] = {}
): Mutant {
  return inMessages(
    name,
    caughtBy,
    (messages, node) => ({
      subscribe: async (topic, subscriber, options) => {
        const receive = make(topic, node.store.id)
        return await messages.subscribe(
          topic,
          {
            ...bound(subscriber),
            message: (message) => receive(message, (changed) => subscriber.message(changed))
          },
          options
        )
      }
    }),
    rest
  )
}

/** Changes what is published. */
function publishing(name: string, caughtBy: RegExp, change: (payload: Uint8Array) => Uint8Array): Mutant {
  return inMessages(name, caughtBy, (messages) => ({
    publish: async (topic, payload, options) => await messages.publish(topic, change(payload), options)
  }))
}

/** Changes the topic that the engine sees. */
function renaming(name: string, caughtBy: RegExp, rename: (topic: string) => string): Mutant {
  return inMessages(name, caughtBy, (messages) => ({
    publish: async (topic, payload, options) => await messages.publish(rename(topic), payload, options),
    subscribe: async (topic, subscriber, options) => await messages.subscribe(rename(topic), subscriber, options),
    peers: async (topic, options) => await messages.peers(rename(topic), options)
  }))
}

function bound(subscriber: Subscriber): Subscriber {
  return {
    message: (message) => subscriber.message(message),
    gap: (gap) => subscriber.gap(gap),
    ...(subscriber.validate === undefined
      ? {}
      : { validate: (message: IncomingMessage) => subscriber.validate?.(message) ?? 'accept' })
  }
}

/** Changes how a subscriber is asked for its verdict. */
function judging(
  name: string,
  wrap: (subscriber: Subscriber, validate: NonNullable<Subscriber['validate']>) => Subscriber
): Mutant {
  return inMessages(name, /a validator is asked before/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const inner = bound(subscriber)
      const asked = inner.validate !== undefined
      const validate = (message: IncomingMessage): Verdict | Promise<Verdict> => inner.validate?.(message) ?? 'accept'
      return await messages.subscribe(topic, asked ? wrap(inner, validate) : inner, options)
    }
  }))
}

const plain = (payload: Uint8Array): Uint8Array => payload

export const messageMutants: readonly Mutant[] = [
  receiving('bytes are changed on the way', /reaches every subscriber/, () => (message, next) => {
    next({
      ...message,
      payload: message.payload.byteLength > 900 ? message.payload.map((byte) => byte ^ 1) : message.payload
    })
  }),
  inMessages('only one of two participants receives', /reaches every subscriber/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) => {
      const last = [...node.network.nodes.keys()].at(-1) === node.store.id
      return await messages.subscribe(
        topic,
        last ? { message: () => undefined, gap: () => undefined } : subscriber,
        options
      )
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
  inMessages('a payload of the declared size is refused', /payload of maxMessageBytes arrives/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      if (payload.byteLength > 60_000) throw node.error('TOO_LARGE', 'messages.publish', 'too large')
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
  inMessages('topics with line breaks are refused', /topics may be any/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) => {
      if (topic.includes('\n')) throw node.error('INVALID_ARGUMENT', 'messages.subscribe', 'no line breaks')
      return await messages.subscribe(topic, subscriber, options)
    }
  })),
  inMessages('long topics are refused', /topics may be any/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) => {
      if (topic.length > 255) throw node.error('INVALID_ARGUMENT', 'messages.subscribe', 'too long')
      return await messages.subscribe(topic, subscriber, options)
    }
  })),
  renaming('an empty topic is taken', /an empty topic/, (topic) => (topic === '' ? 'default' : topic)),
  renaming('the length of topics is counted in characters', /an empty topic/, (topic) =>
    topic.length <= 1024 ? topic.slice(0, 500) : topic
  ),
  inMessages('an invalid topic is UNSUPPORTED', /an empty topic/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      if (topic === '') throw node.error('UNSUPPORTED', 'messages.publish', 'no')
      return await messages.publish(topic, payload, options)
    }
  })),
  inMessages('a second subscription of a topic replaces the first', /several subscriptions/, (messages, node) => {
    const current = new Map<string, { run: unknown; subscription: TransportSubscription }>()
    return {
      subscribe: async (topic, subscriber, options) => {
        const before = current.get(topic)
        if (before !== undefined && before.run === node.run) await before.subscription.close()
        const subscription = await messages.subscribe(topic, subscriber, options)
        current.set(topic, { run: node.run, subscription })
        return subscription
      }
    }
  }),
  inMessages('closing one subscription closes all of its topic', /several subscriptions/, (messages) => {
    const all = new Map<string, TransportSubscription[]>()
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
  inMessages('a second subscription of a topic is refused', /several subscriptions/, (messages, node) => {
    const open = new Set<string>()
    return {
      subscribe: async (topic, subscriber, options) => {
        if (open.has(topic)) throw node.error('INVALID_ARGUMENT', 'messages.subscribe', 'subscribed already')
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
  inMessages('a second close fails', /after close\(\) no call/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      let closed = false
      return {
        close: async () => {
          if (closed) throw node.error('INVALID_ARGUMENT', 'messages.subscribe', 'closed already')
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
        const deaf = (left.get(topic) ?? 0) > 0
        const subscription = await messages.subscribe(
          topic,
          deaf ? { message: () => undefined, gap: () => undefined } : subscriber,
          options
        )
        return {
          close: async () => {
            left.set(topic, (left.get(topic) ?? 0) + 1)
            await subscription.close()
          }
        }
      }
    }
  }),
  inMessages('who subscribes cannot publish', /every participant may publish/, (messages, node) => ({
    publish: async (topic, payload, options) =>
      node.run?.topics.has(topic) === true ? { recipients: 1 } : await messages.publish(topic, payload, options)
  })),
  inMessages('publishing needs a subscription', /does not need a subscription|reaches every/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      if (node.run !== undefined && !node.run.topics.has(topic))
        throw node.error('INVALID_ARGUMENT', 'messages.publish', 'subscribe first')
      return await messages.publish(topic, payload, options)
    }
  })),
  inMessages('publishing without a subscriber fails', /does not need a subscription/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      if (result.recipients === 0) throw node.error('NO_PEERS', 'messages.publish', 'nobody is there')
      return result
    }
  }))
]

export const guaranteeMutants: readonly Mutant[] = [
  inMessages('recipients are always 1', /number of recipients/, (messages) => ({
    publish: async (...args) => ({ ...(await messages.publish(...args)), recipients: 1 })
  })),
  inMessages('recipients are always 0', /number of recipients/, (messages) => ({
    publish: async (...args) => ({ ...(await messages.publish(...args)), recipients: 0 })
  })),
  inMessages('recipients are absent', /number of recipients/, (messages) => ({
    publish: async (...args) => {
      await messages.publish(...args)
      return {}
    }
  })),
  inMessages(
    'recipients are made up where they are not known',
    /number of recipients/,
    (messages) => ({ publish: async (...args) => ({ ...(await messages.publish(...args)), recipients: 1 }) }),
    declaring('messages', { recipients: 'none' })
  ),
  inMessages('peers lists the own participant', /peers\(topic\) lists/, (messages, node) => ({
    peers: async (...args) => [...(await messages.peers(...args)), node.self()]
  })),
  inMessages('peers is always empty', /peers\(topic\) lists/, (messages) => ({
    peers: async (...args) => (await messages.peers(...args)).slice(0, 0)
  })),
  inMessages('peers lists a participant twice', /peers\(topic\) lists/, (messages) => ({
    peers: async (...args) => (await messages.peers(...args)).flatMap((peer) => [peer, peer])
  })),
  inMessages('peers lists ids of another kind', /peers\(topic\) lists/, (messages) => ({
    peers: async (...args) => (await messages.peers(...args)).map((peer) => ({ ...peer, id: `/p2p/${peer.id}` }))
  })),
  inMessages('a publisher hears itself', /does not hear itself/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      for (const subscription of node.run?.topics.get(topic) ?? []) subscription.push({ payload: payload.slice() })
      return result
    }
  })),
  receiving(
    'the sender is absent',
    /from is the id/,
    () =>
      ({ payload }, next) =>
        next({ payload })
  ),
  receiving(
    'the sender is the receiver',
    /from is the id/,
    (_topic, id) =>
      ({ payload }, next) =>
        next({ payload, from: id })
  ),
  receiving(
    'a sender is named where none is declared',
    /from is the id/,
    () =>
      ({ payload }, next) =>
        next({ payload, from: 'somebody' }),
    declaring('messages', { sender: 'none' })
  ),
  receiving('messages overtake each other', /in the order of their publishes/, () => {
    const held: IncomingMessage[] = []
    return (message, next) => {
      const word = new TextDecoder().decode(message.payload)
      if (word.startsWith('order-') && Number(word.slice(6)) % 10 === 3) held.push(message)
      else {
        next(message)
        for (const late of held.splice(0)) next(late)
      }
    }
  }),
  receiving('every message comes twice', /exactly once/, () => (message, next) => {
    next(message)
    next({ ...message, payload: message.payload.slice() })
  }),
  receiving('every tenth message is lost though delivery is reliable', /exactly once|arrive/, () => {
    let count = 0
    return (message, next) => {
      if (++count % 10 !== 0) next(message)
    }
  }),
  receiving(
    'every message comes twice where some may be lost',
    /exactly once/,
    () => (message, next) => {
      next(message)
      next({ ...message, payload: message.payload.slice() })
    },
    declaring('messages', { delivery: 'at-most-once' })
  ),
  receiving('equal bytes are collapsed though they are declared as delivered', /two publishes of equal bytes/, () => {
    const seen = new Set<string>()
    return (message, next) => {
      const name = String(message.payload)
      if (!seen.has(name)) next(message)
      seen.add(name)
    }
  }),
  {
    ...inMessages(
      'equal bytes are delivered though they are declared as collapsed',
      /publishes of equal bytes are delivered once/,
      () => ({}),
      declaring('messages', { duplicates: 'collapsed' })
    ),
    mutate: (node) => {
      // The fake collapses where it declares so: a counter in a sender's field would change the payload, so the bus is used.
      const messages = node.messages
      if (messages === undefined) return node
      return inMessages('', /x/, (inner) => ({
        publish: async (topic, payload, options) => {
          const result = await inner.publish(topic, payload, options)
          if (isAgain(node, topic, payload))
            for (const neighbour of node.network.neighbours(node.store.id))
              for (const subscription of neighbour.run?.topics.get(topic) ?? [])
                subscription.push({ payload: payload.slice(), from: node.store.id })
          return result
        }
      })).mutate(node)
    }
  },
  inMessages('the payload is kept by reference after publish', /kept by reference/, (messages) => ({
    publish: async (topic, payload, options) => {
      // The engine takes it in its next turn only.
      setTimeout(() => void messages.publish(topic, payload, options).catch(() => undefined), 0)
      return { recipients: 2 }
    }
  })),
  inMessages('publish wipes the payload', /kept by reference/, (messages) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      if (payload.byteLength === 256) payload.fill(0)
      return result
    }
  })),
  judging('what is rejected is delivered', (subscriber, validate) => ({
    ...subscriber,
    validate: async (message) => {
      const verdict = await validate(message)
      return verdict === 'reject' ? 'accept' : verdict
    }
  })),
  judging('what is ignored is delivered', (subscriber, validate) => ({
    ...subscriber,
    validate: async (message) => {
      const verdict = await validate(message)
      return verdict === 'ignore' ? 'accept' : verdict
    }
  })),
  judging('a promised verdict is taken for accept', (subscriber, validate) => ({
    ...subscriber,
    validate: (message) => {
      const verdict = validate(message)
      if (typeof verdict === 'string') return verdict
      verdict.catch(() => undefined)
      return 'accept'
    }
  })),
  judging('a validator that fails is taken for accept', (subscriber, validate) => ({
    ...subscriber,
    validate: async (message) => {
      try {
        return await validate(message)
      } catch {
        return 'accept'
      }
    }
  })),
  judging('the validator is asked after the message', (subscriber, validate) => ({
    message: (message) => {
      subscriber.message(message)
      void (async () => await validate(message))().catch(() => undefined)
    },
    gap: (gap) => subscriber.gap(gap)
  })),
  judging('what is promised to be accepted is lost', (subscriber, validate) => ({
    ...subscriber,
    validate: (message) => {
      const verdict = validate(message)
      if (typeof verdict === 'string') return verdict
      verdict.catch(() => undefined)
      return 'ignore'
    }
  })),
  inMessages('gaps are not reported', /a gap is reported/, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(topic, { ...bound(subscriber), gap: () => undefined }, options)
  })),
  inMessages('a gap has a reason of the engine', /a gap is reported/, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), gap: () => subscriber.gap({ reason: 'ECONNRESET' as 'overflow' }) },
        options
      )
  })),
  inMessages('a subscription is dead after an interruption', /a gap is reported/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      let dead = false
      return await messages.subscribe(
        topic,
        {
          ...bound(subscriber),
          message: (message) => {
            if (!dead) subscriber.message(message)
          },
          gap: (gap) => {
            dead = true
            subscriber.gap(gap)
          }
        },
        options
      )
    }
  })),
  inMessages('gaps are reported while nothing is lost', /a gap is reported/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      subscriber.gap({ reason: 'overflow' })
      return subscription
    }
  })),
  inMessages(
    'gaps are reported though they are not declared',
    /no gap is reported/,
    (messages) => ({
      subscribe: async (topic, subscriber, options) => {
        const subscription = await messages.subscribe(topic, subscriber, options)
        subscriber.gap({ reason: 'overflow' })
        return subscription
      }
    }),
    declaring('messages', { gaps: 'none' })
  )
]

const published = new WeakMap<object, Set<string>>()

/** Whether these bytes were published before on this topic by this node. */
function isAgain(node: object, topic: string, payload: Uint8Array): boolean {
  const seen = published.get(node) ?? new Set()
  published.set(node, seen)
  const name = `${topic}\n${String(payload)}`
  const again = seen.has(name)
  seen.add(name)
  return again
}
