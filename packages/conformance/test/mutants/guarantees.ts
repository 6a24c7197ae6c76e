import type { IncomingMessage } from '@p2pl/core/backend'
import { seededRandom } from '@p2pl/tooling-vitest'
import { numberOf } from '../../src/kit/samples.ts'
import { declaring, inMessages, type Mutant } from './mutant.ts'
import { judging, receiving } from './receiving.ts'

export const guaranteeMutants: readonly Mutant[] = [
  inMessages('recipients are always 1', /number of recipients/, (messages) => ({
    publish: async (...args) => ({ ...(await messages.publish(...args)), recipients: 1 })
  })),
  inMessages('five recipients are reported where two listen', /number of recipients/, (messages) => ({
    publish: async (...args) => {
      const { recipients } = await messages.publish(...args)
      return { recipients: recipients === 0 ? 0 : 5 }
    }
  })),
  inMessages('the publisher counts itself among the recipients', /number of recipients/, (messages, node) => ({
    publish: async (topic, payload, options) => {
      const { recipients = 0 } = await messages.publish(topic, payload, options)
      const self = recipients > 0 && node.run?.topics.has(topic) === true ? 1 : 0
      return { recipients: recipients + self }
    }
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
  inMessages('peers lists the own peer', /peers\(topic\) lists/, (messages, node) => ({
    peers: async (...args) => [...(await messages.peers(...args)), node.self()]
  })),
  inMessages('peers lists everybody who is connected', /peers\(topic\) lists/, (messages, node) => ({
    peers: async (...args) => {
      const peers = await messages.peers(...args)
      return peers.length === 0 ? [] : node.network.neighbours(node.store.id).map((other) => other.self())
    }
  })),
  inMessages('peers goes on listing a peer that left the topic', /peers\(topic\) lists/, (messages) => {
    const known = new Map<string, Awaited<ReturnType<typeof messages.peers>>>()
    return {
      peers: async (topic, options) => {
        const peers = await messages.peers(topic, options)
        if (peers.length > 0) known.set(topic, peers)
        return known.get(topic) ?? []
      }
    }
  }),
  inMessages('peers is always empty', /peers\(topic\) lists/, (messages) => ({
    peers: async (...args) => (await messages.peers(...args)).slice(0, 0)
  })),
  inMessages('peers lists a peer twice', /peers\(topic\) lists/, (messages) => ({
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
  receiving('messages come 20 to 200 ms late, each by its own time', /in the order of their publishes/, () => {
    const random = seededRandom(1)
    return (message, next) => {
      if (numberOf(message.payload) < 0) next(message)
      else setTimeout(() => next(message), 20 + 180 * random())
    }
  }),
  receiving('messages overtake each other', /in the order of their publishes/, () => {
    const held: IncomingMessage[] = []
    return (message, next) => {
      if (numberOf(message.payload) % 10 === 3) held.push(message)
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
