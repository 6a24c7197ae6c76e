import type { AbortOptions } from '@p2pl/core/backend'
import { isP2plError, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { fired, inBlocks, inMessages, inRouting, keyOf, runs, type Mutant } from './mutant.ts'

/** Rejects with ABORTED, but only after having done it. */
async function after<T>(work: Promise<T>, error: () => Promise<T>): Promise<T> {
  await work
  return await error()
}

/** Does the work without a signal, then lets the call with the signal that has fired reject. */
const lateMessages = (method: 'publish' | 'subscribe', caughtBy: RegExp): Mutant =>
  inMessages(`${method} is done before its signal is looked at`, caughtBy, (messages, node) => ({
    [method]: async (topic: string, argument: never, options?: AbortOptions) => {
      const call = async (signal?: AbortSignal): Promise<unknown> => await messages[method](topic, argument, { signal })
      return fired(options) && runs(node)
        ? await after(call(), async () => await call(options?.signal))
        : await call(options?.signal)
    }
  }))

const lateBlocks = (method: 'putMany' | 'delete' | 'pin' | 'unpin', caughtBy: RegExp): Mutant =>
  inBlocks(`${method} is done before its signal is looked at`, caughtBy, (blocks, node) => ({
    [method]: async (argument: never, options?: AbortOptions) => {
      const call = async (rest?: AbortOptions): Promise<void> => await blocks[method](argument, rest)
      const stored = method !== 'pin' || node.store.blocks.has(keyOf(argument))
      return fired(options) && runs(node) && stored
        ? await after(call(), async () => await call(options))
        : await call(options)
    }
  }))

const lateRouting = (method: 'provide' | 'connect' | 'disconnect', caughtBy: RegExp): Mutant =>
  inRouting(`${method} is done before its signal is looked at`, caughtBy, (routing, node) => ({
    [method]: async (argument: never, options?: AbortOptions) => {
      const call = async (rest?: AbortOptions): Promise<void> => await routing[method](argument, rest)
      return fired(options) && runs(node)
        ? await after(
            call().catch(() => undefined),
            async () => await call(options)
          )
        : await call(options)
    }
  }))

/** A call that takes no notice of its signal, one for each method that returns a promise. */
const unheeding: readonly Mutant[] = [
  ...(['publish', 'subscribe', 'peers'] as const).map((method) =>
    inMessages(
      `${method} takes no notice of its signal`,
      new RegExp(`messages.${method} with a signal`),
      (messages) => ({
        [method]: async (...args: unknown[]) =>
          await (messages[method] as (...all: unknown[]) => Promise<unknown>).apply(
            messages,
            method === 'peers' ? args.slice(0, 1) : args.slice(0, 2)
          )
      })
    )
  ),
  ...(['putMany', 'has', 'delete', 'unpin'] as const).map((method) =>
    inBlocks(`${method} takes no notice of its signal`, new RegExp(`blocks.${method} with a signal`), (blocks) => ({
      [method]: async (argument: never) => await blocks[method](argument)
    }))
  ),
  ...(['unprovide', 'findPeer', 'disconnect'] as const).map((method) =>
    inRouting(`${method} takes no notice of its signal`, new RegExp(`routing.${method} with a signal`), (routing) => ({
      [method]: async (argument: never) => await routing[method](argument)
    }))
  ),
  inRouting('connections takes no notice of its signal', /routing.connections with a signal/, (routing) => ({
    connections: async () => await routing.connections()
  }))
]

/** A subscribe that was aborted rejects, and the engine stays subscribed. */
const forgotten: readonly Mutant[] = [
  ['at once', async () => undefined],
  ['while the engine joins', async () => await new Promise((resolve) => setTimeout(resolve, 5))]
].map(([when, joins]) =>
  inMessages(
    `a subscribe that is aborted ${when as string} goes on delivering`,
    /aborted midway delivers nothing/,
    (messages, node) => ({
      subscribe: async (topic, subscriber, options) => {
        if (fired(options) || !runs(node)) return await messages.subscribe(topic, subscriber, options)
        await (joins as () => Promise<void>)()
        const subscription = await messages.subscribe(topic, subscriber)
        throwIfAborted('messages.subscribe', options?.signal, node.name)
        return subscription
      }
    })
  )
)

/** Store calls that are slow, and take no notice of a signal that fires meanwhile. */
const slow: readonly Mutant[] = (['putMany', 'has', 'delete'] as const).map((method) =>
  inBlocks(
    `a slow ${method} goes on after its signal fired`,
    new RegExp(`blocks.${method} ends soon`),
    (blocks, node) => ({
      [method]: async (argument: never, options?: AbortOptions) => {
        if (fired(options) || !runs(node)) return await blocks[method](argument, options)
        await new Promise((resolve) => setTimeout(resolve, 2000))
        return await blocks[method](argument)
      }
    })
  )
)

export const abortMutants: readonly Mutant[] = [
  ...unheeding,
  ...forgotten,
  ...slow,
  lateMessages('publish', /publish with a signal that has fired sends nothing/),
  lateMessages('subscribe', /subscribe with a signal that has fired does not/),
  lateBlocks('putMany', /putMany and delete with a signal/),
  lateBlocks('delete', /putMany and delete with a signal/),
  lateBlocks('pin', /pin and unpin with a signal/),
  lateBlocks('unpin', /pin and unpin with a signal/),
  lateRouting('provide', /provide with a signal that has fired leaves/),
  lateRouting('connect', /connect and disconnect with a signal/),
  lateRouting('disconnect', /connect and disconnect with a signal/),
  inBlocks('gc removes before its signal is looked at', /gc with a signal that has fired/, (blocks, node) => ({
    gc: async function* (options) {
      if (fired(options)) node.store.blocks.clear()
      yield* blocks.gc(options)
    }
  })),
  inBlocks('a get that looks takes no notice of its signal', /blocks.get ends soon/, (blocks, node) => ({
    get: async (cid, options) => {
      if (node.store.blocks.has(keyOf(cid)) || fired(options) || options?.local === true || !runs(node))
        return await blocks.get(cid, options)
      return await blocks.get(cid, { ...options, signal: undefined })
    }
  })),
  inBlocks(
    'a pin that fetches takes no notice of its signal',
    /blocks.pin ends soon|nobody has rejects/,
    (blocks, node) => ({
      pin: async (cid, options) => {
        if (fired(options) || !runs(node)) return await blocks.pin(cid, options)
        return await blocks.pin(cid, { ...options, signal: undefined })
      }
    })
  ),
  inBlocks('a timeout is ABORTED', /TIMEOUT/, (blocks) => ({
    get: async (cid, options) => {
      try {
        return await blocks.get(cid, options)
      } catch (error) {
        if (!isP2plError(error, 'TIMEOUT')) throw error
        throw new P2plError({ code: 'ABORTED', backend: 'fake', operation: 'blocks.get', message: 'aborted' })
      }
    }
  })),
  inBlocks('an aborted call rejects with the reason of its signal', /blocks.has with a signal/, (blocks) => ({
    has: async (cid, options) => {
      options?.signal?.throwIfAborted()
      return await blocks.has(cid, options)
    }
  })),
  inMessages('a subscription ends with the signal of its call', /fires after subscribe has resolved/, (messages) => ({
    subscribe: async (topic, subscriber, options) => {
      const subscription = await messages.subscribe(topic, subscriber, options)
      options?.signal?.addEventListener('abort', () => void subscription.close().catch(() => undefined))
      return subscription
    }
  })),
  inBlocks('an aborted get ends every get of the block', /does not disturb another/, (blocks) => {
    const shared = new Map<string, Promise<Uint8Array>>()
    return {
      get: async (cid, options) => {
        if (options?.signal === undefined || options.local === true || fired(options))
          return await blocks.get(cid, options)
        const name = keyOf(cid)
        let getting = shared.get(name)
        if (getting === undefined) {
          // The last caller brings the signal that counts for all.
          const controller = new AbortController()
          getting = blocks.get(cid, { ...options, signal: controller.signal }).finally(() => shared.delete(name))
          shared.set(name, getting)
          controllers.set(getting, controller)
        }
        const all = controllers.get(getting)
        options.signal.addEventListener('abort', () => all?.abort(options.signal?.reason), { once: true })
        return await getting
      }
    }
  }),
  ...(['pins', 'gc'] as const).map((method) =>
    inBlocks(`an aborted iteration of ${method} just ends`, new RegExp(`iteration of ${method} rejects`), (blocks) => ({
      [method]: async function* (options?: AbortOptions) {
        let count = 0
        for await (const item of blocks[method]({ signal: fired(options) ? options?.signal : undefined })) {
          if (count++ > 0 && fired(options)) return
          yield item
        }
      }
    }))
  ),
  inRouting('an aborted search just ends', /iteration of findProviders rejects/, (routing) => ({
    findProviders: async function* (cid, options) {
      const refused = fired(options)
      try {
        yield* routing.findProviders(cid, options)
      } catch (error) {
        if (refused || !fired(options)) throw error
      }
    }
  }))
]

const controllers = new WeakMap<object, AbortController>()
