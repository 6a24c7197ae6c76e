import type { IncomingMessage } from '@p2pl/core/backend'
import { seededRandom } from '@p2pl/tooling-vitest'
import { numberOf } from '../../src/kit/samples.ts'
import { declaring, inMessages, type Mutant } from './mutant.ts'
import { judging, receiving } from './receiving.ts'
import { peerInfo } from '../../src/fake/peer-info.ts'

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
      const self = recipients > 0 && node.engine?.topics.has(topic) === true ? 1 : 0
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
    peers: async (...args) => [...(await messages.peers(...args)), ...node.self()]
  })),
  inMessages('peers lists everybody who is connected', /peers\(topic\) lists/, (messages, node) => ({
    peers: async (...args) => {
      const peers = await messages.peers(...args)
      return peers.length === 0 ? [] : node.network.connected(node.store.id).map(({ id }) => peerInfo(id))
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
      void node.engine?.topics.get(topic)?.message({ payload: payload.slice() })
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
  judging('a subscriber that throws ends the subscription', (subscriber) => {
    let ended = false
    return {
      ...subscriber,
      message: (message) => {
        if (ended) return 'ignore'
        try {
          return subscriber.message(message)
        } catch {
          ended = true
          return 'ignore'
        }
      }
    }
  }),
  judging('a verdict of reject bans the sender', (subscriber) => {
    const banned = new Set<string | undefined>()
    return {
      ...subscriber,
      message: (message) => {
        if (banned.has(message.from)) return 'ignore'
        const verdict = subscriber.message(message)
        if (verdict === 'reject') banned.add(message.from)
        return verdict
      }
    }
  }),
  judging('messages wait for a verdict that fails', (subscriber) => {
    let before: Promise<unknown> | undefined
    return {
      ...subscriber,
      message: (message) => {
        const next = (before ?? Promise.resolve()).then(() => subscriber.message(message))
        before = next
        next.catch(() => undefined)
        return next
      }
    }
  }),
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
