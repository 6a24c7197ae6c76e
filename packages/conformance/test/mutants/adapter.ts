import type { Joined } from '@p2pl/core/backend'
import { seededRandom } from '@p2pl/tooling-vitest'
import { peerInfo } from '../../src/fake/peer-info.ts'
import { numberOf } from '../../src/kit/samples.ts'
import { declaring, fired, inBlocks, inMessages, inNode, inRouting, runs, type Mutant } from './mutant.ts'
import { bound, judging, receiving } from './receiving.ts'

const never = async (): Promise<never> => await new Promise<never>(() => undefined)
const ms = async (time: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, time))
const cutOff = /a subscribe while cut off/
const connects = /connect makes a direct connection/

/** Mistakes that come easily to someone who maps an engine of their own: a broker, a socket, a folder. */
export const adapterMutants: readonly Mutant[] = [
  inMessages('a topic of the engine matches others', /do not reach subscribers of another/, (messages) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      if (topic !== '') await messages.publish('>', payload, options)
      return result
    }
  })),
  inMessages('a topic ends in a wildcard of the engine', /do not reach subscribers of another/, (messages) => ({
    publish: async (topic, payload, options) => {
      const result = await messages.publish(topic, payload, options)
      if (topic.includes('/')) await messages.publish(topic.replace(/[^/]*$/, '#'), payload, options)
      return result
    }
  })),
  inMessages(
    'subscribe resolves before the topic is joined',
    /the first message that is published after/,
    (messages) => ({
      subscribe: async (topic, subscriber, options): Promise<Joined> => {
        const joining = ms(20).then(async () => await messages.subscribe(topic, subscriber, options))
        joining.catch(() => undefined)
        return { close: async () => await (await joining).close() }
      }
    })
  ),
  receiving('a large message is overtaken by the next', /in the order of their publishes/, () => (message, next) => {
    if (message.payload.byteLength > 1000) setTimeout(() => next(message), 10)
    else next(message)
  }),
  inMessages(
    'messages that are published at once overtake each other',
    /in the order of their publishes/,
    (messages) => {
      const random = seededRandom(2)
      return {
        publish: async (topic, payload, options) => {
          if (numberOf(payload) >= 0) await ms(5 * random())
          return await messages.publish(topic, payload, options)
        }
      }
    }
  ),
  ...(['reliable', 'at-most-once'] as const).map((delivery) =>
    receiving(
      `the bytes of a message are overwritten by the next where delivery is ${delivery}`,
      /arrives exactly once/,
      () => {
        const shared = new Uint8Array(64 * 1024)
        return ({ payload, ...rest }, next) => {
          shared.set(payload)
          next({ ...rest, payload: shared.subarray(0, payload.byteLength) })
        }
      },
      declaring('messages', { delivery })
    )
  ),
  judging('later messages wait for the verdict on earlier ones', (subscriber) => {
    let before: Promise<unknown> = Promise.resolve()
    return {
      ...subscriber,
      message: (message) => {
        const verdict = before.then(() => subscriber.message(message))
        before = verdict.catch(() => undefined)
        return verdict
      }
    }
  }),
  inMessages('a peer that left the topic stays a recipient', /number of recipients/, (messages) => {
    const most = new Map<string, number>()
    return {
      publish: async (topic, payload, options) => {
        const { recipients = 0 } = await messages.publish(topic, payload, options)
        most.set(topic, Math.max(recipients, most.get(topic) ?? 0))
        return { recipients: most.get(topic) }
      }
    }
  }),
  inMessages('the last messages are delivered again after a cut', /a loss while cut off/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const inner = bound(subscriber)
      const last: Parameters<typeof inner.message>[0][] = []
      return await messages.subscribe(
        topic,
        {
          ...inner,
          message: (message) => {
            last.push(message)
            return inner.message(message)
          },
          gap: (gap) => {
            inner.gap(gap)
            for (const message of last) void inner.message(message)
          }
        },
        options
      )
    }
  })),
  inMessages('close() while cut off waits for the engine', cutOff, (messages, node) => ({
    subscribe: async (...args): Promise<Joined> => {
      const joined = await messages.subscribe(...args)
      return { close: async () => await (node.network.isCut(node.store.id) ? never() : joined.close()) }
    }
  })),
  inMessages('a topic that was left while cut off is joined again after it', cutOff, (messages, node) => ({
    subscribe: async (...args): Promise<Joined> => {
      const joined = await messages.subscribe(...args)
      return { close: async () => (node.network.isCut(node.store.id) ? undefined : await joined.close()) }
    }
  })),
  inRouting('a connection that was cut stays listed', /a publish while cut off is refused/, (routing, node) => ({
    connections: async (options) => {
      const now = await routing.connections(options)
      const others = [...node.network.engines.keys()].filter((id) => id !== node.store.id)
      return node.network.isCut(node.store.id) ? others.map(peerInfo) : now
    }
  })),
  inRouting('a connection ends with the signal of its connect', connects, (routing) => ({
    connect: async (peer, options) => {
      await routing.connect(peer, options)
      options?.signal?.addEventListener('abort', () => void routing.disconnect(peer.id).catch(() => undefined))
    }
  })),
  ...(['peer:connect', 'peer:disconnect'] as const).map((type) =>
    inNode(`there is no event ${type}`, connects, (node) => ({
      start: async (options) =>
        await node.start({
          ...options,
          onEvent: (event) => {
            if (event.type !== type) options?.onEvent?.(event)
          }
        })
    }))
  ),
  inNode('an event of a connection names the own peer', connects, (node) => ({
    start: async (options) =>
      await node.start({
        ...options,
        onEvent: (event) =>
          options?.onEvent?.(event.type.startsWith('peer:') ? ({ ...event, id: node.store.id } as typeof event) : event)
      })
  })),
  inBlocks('the bytes of a block are overwritten by the next get', /put, get, has and delete agree/, (blocks, node) => {
    const shared = new Uint8Array(4 * 1024 * 1024)
    return {
      get: async (cid, options) => {
        const bytes = await blocks.get(cid, options)
        if (!runs(node) || fired(options)) return bytes
        shared.set(bytes)
        return shared.subarray(0, bytes.byteLength)
      }
    }
  }),
  inNode('all secrets have one name', /a secret, are there/, (node) => ({
    secrets: {
      get: async () => await node.secrets?.get('secret'),
      set: async (_name, secret) => await node.secrets?.set('secret', secret)
    }
  })),
  inNode('secrets are kept in memory', /a secret, are there/, () => {
    const kept = new Map<string, Uint8Array>()
    return {
      secrets: { get: async (name) => kept.get(name), set: async (name, secret) => void kept.set(name, secret) }
    }
  }),
  inNode('a secret that was never set is empty', /a secret, are there/, (node) => ({
    secrets: {
      get: async (name) => (await node.secrets?.get(name)) ?? new Uint8Array(0),
      set: async (name, secret) => await node.secrets?.set(name, secret)
    }
  }))
]
