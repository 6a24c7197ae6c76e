import type { AbortOptions, Joined } from '@p2pl/core/backend'
import type { FakeBackend } from '../../src/fake/index.ts'
import { failure, fired, inBlocks, inMessages, inNode, inRouting, keyOf, runs, type Mutant } from './mutant.ts'
import { bound } from './receiving.ts'

const isCut = (node: FakeBackend): boolean => runs(node) && node.network.isCut(node.store.id)
const never = async (): Promise<never> => await new Promise<never>(() => undefined)

const refused = /a publish while cut off is refused/
const late = /a loss while cut off is reported by a gap/
const everyCall = /every call while cut off ends by itself/
const stopping = /stop while cut off resolves/

/** Store calls of an engine that is elsewhere wait for it, whatever becomes of their signal. */
const deafStoreCalls: readonly Mutant[] = (['putMany', 'has', 'delete', 'unpin'] as const).map((method) =>
  inBlocks(`${method} ignores its signal while the engine is away`, everyCall, (blocks, node) => ({
    [method]: async (argument: never, options?: AbortOptions) => {
      if (isCut(node) && !fired(options)) await never()
      return await blocks[method](argument, options)
    }
  }))
)

export const cutMutants: readonly Mutant[] = [
  inMessages('the error of a publish is swallowed while cut off', refused, (messages, node) => ({
    publish: async (...args) => (isCut(node) ? { recipients: 1 } : await messages.publish(...args))
  })),
  inMessages('a publish while cut off says that it is of no use to try again', refused, (messages, node) => ({
    publish: async (...args) => {
      if (isCut(node)) throw failure('ENGINE', 'messages.publish', 'the connection is gone')
      return await messages.publish(...args)
    }
  })),
  inMessages('a publish while cut off waits for the network, whatever its signal says', refused, (messages, node) => ({
    publish: async (...args) => (isCut(node) ? await never() : await messages.publish(...args))
  })),
  inMessages('a publish after a cut never works again', refused, (messages, node) => {
    let broken = false
    return {
      publish: async (...args) => {
        broken ||= isCut(node)
        if (broken) throw failure('UNREACHABLE', 'messages.publish', 'the connection is gone')
        return await messages.publish(...args)
      }
    }
  }),
  inMessages('a subscription that is made while cut off is dead', /a subscribe while cut off/, (messages, node) => ({
    subscribe: async (topic, subscriber, options) =>
      isCut(node) ? { close: async () => undefined } : await messages.subscribe(topic, subscriber, options)
  })),
  inMessages('gaps are not reported', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(topic, { ...bound(subscriber), gap: () => undefined }, options)
  })),
  inMessages('a gap is reported 300 ms after later messages', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), gap: (gap) => void setTimeout(() => subscriber.gap(gap), 300) },
        options
      )
  })),
  inMessages('the first subscription of a topic alone hears of a gap', late, (messages) => {
    const open = new Set<string>()
    return {
      subscribe: async (topic, subscriber, options): Promise<Joined> => {
        const first = !open.has(topic)
        const inner = bound(subscriber)
        const subscription = await messages.subscribe(
          topic,
          first ? inner : { ...inner, gap: () => undefined },
          options
        )
        open.add(topic)
        return subscription
      }
    }
  }),
  inMessages('a gap has a reason of the engine', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), gap: () => subscriber.gap({ reason: 'ECONNRESET' as 'overflow' }) },
        options
      )
  })),
  inMessages('gaps are reported while nothing is lost', late, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      subscriber.gap({ reason: 'overflow' })
      return subscription
    }
  })),
  inMessages('every subscription begins with an interruption', late, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      subscriber.state?.('healing')
      subscriber.gap({ reason: 'disconnected' })
      subscriber.state?.('live')
      return subscription
    }
  })),
  inMessages('a subscription is dead after a cut', late, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      let dead = false
      return await messages.subscribe(
        topic,
        {
          ...bound(subscriber),
          message: (message) => (dead ? 'ignore' : subscriber.message(message)),
          gap: (gap) => {
            dead = true
            subscriber.gap(gap)
          }
        },
        options
      )
    }
  })),
  ...deafStoreCalls,
  inMessages('subscribe ignores its signal while the engine is away', everyCall, (messages, node) => ({
    subscribe: async (...args) => (isCut(node) && !fired(args[2]) ? await never() : await messages.subscribe(...args))
  })),
  inRouting('findPeer while cut off fails for good', everyCall, (routing, node) => ({
    findPeer: async (...args) => {
      if (isCut(node)) throw failure('ENGINE', 'routing.findPeer', 'no answer')
      return await routing.findPeer(...args)
    }
  })),
  inBlocks('a put while cut off is lost', /put, has and delete while cut off/, (blocks, node) => ({
    putMany: async (...args) => (isCut(node) ? undefined : await blocks.putMany(...args))
  })),
  inBlocks('has() while cut off says that nothing is there', /put, has and delete while cut off/, (blocks, node) => ({
    has: async (...args) => (isCut(node) ? false : await blocks.has(...args))
  })),
  inBlocks(
    'a get that was begun while cut off hangs for ever',
    /a get that is begun while cut off/,
    (blocks, node) => ({
      get: async (...args) => (isCut(node) ? await never() : await blocks.get(...args))
    })
  ),
  inBlocks('a get while cut off fails for good', /a get that is begun while cut off/, (blocks, node) => ({
    get: async (...args) => {
      if (isCut(node)) throw failure('ENGINE', 'blocks.get', 'no route')
      return await blocks.get(...args)
    }
  })),
  inBlocks(
    'a pin while cut off resolves without the block',
    /a pin of a missing block while cut off/,
    (blocks, node) => ({
      pin: async (cid, options) => {
        if (!isCut(node)) return await blocks.pin(cid, options)
        node.store.pins.set(keyOf(cid), { cid, recursive: true })
      }
    })
  ),
  inRouting('a provide while cut off is forgotten', /provide while cut off rejects/, (routing, node) => ({
    provide: async (...args) => (isCut(node) ? undefined : await routing.provide(...args))
  })),
  inNode('stop while cut off waits for the network', stopping, (node) => ({
    stop: async () => {
      if (isCut(node)) await never()
      await node.stop()
    }
  })),
  inBlocks('a get that is pending while cut off outlives stop', stopping, (blocks, node) => ({
    get: async (...args) => (isCut(node) ? await never() : await blocks.get(...args))
  })),
  inMessages('a subscription stays in its state of healing', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), state: (state) => (state === 'healing' ? subscriber.state?.(state) : undefined) },
        options
      )
  })),
  inMessages('a subscription has states of the engine', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), state: () => subscriber.state?.('reconnecting' as 'healing') },
        options
      )
  })),
  inMessages('a gap has lasted for ever', late, (messages) => ({
    subscribe: async (topic, subscriber, options) =>
      await messages.subscribe(
        topic,
        { ...bound(subscriber), gap: (gap) => subscriber.gap({ ...gap, lasted: Infinity }) },
        options
      )
  }))
]
