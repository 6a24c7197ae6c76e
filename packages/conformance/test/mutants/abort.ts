import type { AbortOptions } from '@p2pl/core/backend'
import { isP2plError, P2plError } from '@p2pl/core/backend'
import { inBlocks, inMessages, inRouting, type Mutant } from './mutant.ts'

const fired = (options: AbortOptions | undefined): boolean => options?.signal?.aborted === true

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
      return fired(options) && node.run !== undefined
        ? await after(call(), async () => await call(options?.signal))
        : await call(options?.signal)
    }
  }))

const lateBlocks = (method: 'put' | 'putMany' | 'delete' | 'pin' | 'unpin', caughtBy: RegExp): Mutant =>
  inBlocks(`${method} is done before its signal is looked at`, caughtBy, (blocks, node) => ({
    [method]: async (argument: never, options?: AbortOptions) => {
      const call = async (rest?: AbortOptions): Promise<void> => await blocks[method](argument, rest)
      const stored = method !== 'pin' || node.store.blocks.has(keyOf(argument))
      return fired(options) && node.run !== undefined && stored
        ? await after(call(), async () => await call(options))
        : await call(options)
    }
  }))

const lateRouting = (method: 'provide' | 'connect' | 'disconnect', caughtBy: RegExp): Mutant =>
  inRouting(`${method} is done before its signal is looked at`, caughtBy, (routing, node) => ({
    [method]: async (argument: never, options?: AbortOptions) => {
      const call = async (rest?: AbortOptions): Promise<void> => await routing[method](argument, rest)
      return fired(options) && node.run !== undefined
        ? await after(
            call().catch(() => undefined),
            async () => await call(options)
          )
        : await call(options)
    }
  }))

function keyOf(cid: { readonly multihash: { readonly bytes: Uint8Array } }): string {
  return Array.from(cid.multihash.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

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
  ...(['put', 'putMany', 'has', 'delete', 'unpin'] as const).map((method) =>
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

export const abortMutants: readonly Mutant[] = [
  ...unheeding,
  lateMessages('publish', /publish with a signal that has fired sends nothing/),
  lateMessages('subscribe', /subscribe with a signal that has fired does not/),
  lateBlocks('put', /put, putMany and delete with a signal/),
  lateBlocks('putMany', /put, putMany and delete with a signal/),
  lateBlocks('delete', /put, putMany and delete with a signal/),
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
      if (node.store.blocks.has(keyOf(cid)) || fired(options) || options?.local === true || node.run === undefined)
        return await blocks.get(cid, options)
      return await blocks.get(cid, { ...options, signal: undefined })
    }
  })),
  inBlocks(
    'a pin that fetches takes no notice of its signal',
    /blocks.pin ends soon|cannot be had/,
    (blocks, node) => ({
      pin: async (cid, options) => {
        if (fired(options) || node.run === undefined) return await blocks.pin(cid, options)
        return await blocks.pin(cid, { ...options, signal: undefined })
      }
    })
  ),
  inBlocks('a deadline that passed is ABORTED', /TIMEOUT/, (blocks) => ({
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
          // Whoever comes last brings the signal that counts for all.
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
  inBlocks('putMany reads on after its signal fired', /putMany stops reading/, (blocks, node) => ({
    putMany: async (many, options) => {
      if (fired(options) || node.run === undefined) return await blocks.putMany(many, options)
      let count = 0
      return await blocks.putMany(
        (async function* () {
          for await (const block of many) {
            if (++count > 100_000) return
            yield block
          }
        })()
      )
    }
  })),
  inBlocks('putMany waits for its iterable for ever', /while the iterable gives nothing/, (blocks, node) => ({
    putMany: async (many, options) => {
      if (fired(options) || node.run === undefined) return await blocks.putMany(many, options)
      for await (const block of many) await blocks.put(block, options)
    }
  })),
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
  inBlocks('an aborted iteration of getDag goes on to its end', /iteration of getDag rejects/, (blocks) => ({
    getDag: (root, options) =>
      blocks.getDag!(
        root,
        fired(options) || options?.signal === undefined ? options : { ...options, signal: undefined }
      )
  })),
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

/** Changes how the errors of one call look. */
function failing(name: string, caughtBy: RegExp, change: (error: P2plError) => unknown): Mutant {
  return inBlocks(name, caughtBy, (blocks) => ({
    get: async (cid, options) => {
      try {
        return await blocks.get(cid, options)
      } catch (error) {
        throw change(error as P2plError)
      }
    }
  }))
}

const again = (error: P2plError, fields: Partial<P2plError>): P2plError =>
  new P2plError({
    code: error.code,
    message: error.message,
    operation: error.operation,
    backend: error.backend,
    retryable: error.retryable,
    ...fields
  })

export const errorMutants: readonly Mutant[] = [
  failing('errors are plain', /local: true of a block/, (error) => new Error(error.message)),
  failing(
    'errors name another backend',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { backend: 'engine' })
  ),
  failing(
    'errors name no backend',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { backend: undefined })
  ),
  failing(
    'errors name no operation',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { operation: undefined })
  ),
  failing(
    'errors name the operation of the engine',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { operation: 'block/get' })
  ),
  failing(
    'every error is retryable',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { retryable: true })
  ),
  failing(
    'every error has one code',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { code: 'ENGINE' })
  ),
  inMessages('a wrong argument is thrown at once', /an empty topic/, (messages, node) => ({
    publish: (topic: string, payload: Uint8Array, options?: AbortOptions) => {
      if (topic === '') throw node.error('INVALID_ARGUMENT', 'messages.publish', 'empty')
      return messages.publish(topic, payload, options)
    }
  }))
]

export const concurrencyMutants: readonly Mutant[] = [
  inBlocks('more than 100 gets at once are refused', /gets at once/, (blocks, node) => {
    let running = 0
    return {
      get: async (cid, options) => {
        if (++running > 100) {
          running--
          throw node.error('OVERLOADED', 'blocks.get', 'too many')
        }
        try {
          return await blocks.get(cid, options)
        } finally {
          running--
        }
      }
    }
  }),
  inBlocks('gets at once are mixed up', /gets at once/, (blocks) => {
    let last: Promise<Uint8Array> | undefined
    return {
      get: async (cid, options) => {
        const before = last
        const own = blocks.get(cid, options)
        last = own
        own
          .catch(() => undefined)
          .finally(() => (last = undefined))
          .catch(() => undefined)
        return before === undefined ? await own : await before.catch(async () => await own)
      }
    }
  }),
  inBlocks('puts at once are lost', /200 puts at once/, (blocks) => {
    let running = 0
    return {
      put: async (block, options) => {
        if (running > 50 && options?.signal?.aborted === false) return
        running++
        try {
          await blocks.put(block, options)
        } finally {
          running--
        }
      }
    }
  }),
  inBlocks('only 32 blocks are fetched at once', /100 blocks are fetched/, (blocks, node) => {
    let running = 0
    return {
      get: async (cid, options) => {
        if (node.store.blocks.has(keyOf(cid)) || node.run === undefined || fired(options) || options?.local === true)
          return await blocks.get(cid, options)
        if (++running > 32) {
          running--
          throw node.error('OVERLOADED', 'blocks.get', 'too many')
        }
        try {
          return await blocks.get(cid, options)
        } finally {
          running--
        }
      }
    }
  }),
  inMessages('only 32 subscriptions work', /64 subscriptions at once/, (messages) => {
    let open = 0
    return {
      subscribe: async (topic, subscriber, options) => {
        const deaf = ++open > 32
        const subscription = await messages.subscribe(
          topic,
          deaf ? { message: () => undefined, gap: () => undefined } : subscriber,
          options
        )
        let closed = false
        return {
          close: async () => {
            if (!closed) open--
            closed = true
            await subscription.close()
          }
        }
      }
    }
  }),
  inMessages('subscriptions made at once share their messages', /64 subscriptions at once/, (messages) => {
    const many: { topic: string; message: (message: never) => void }[] = []
    return {
      subscribe: async (topic, subscriber, options) => {
        if (!topic.startsWith('many-')) return await messages.subscribe(topic, subscriber, options)
        many.push({ topic, message: (message) => subscriber.message(message) })
        return await messages.subscribe(
          topic,
          {
            gap: () => undefined,
            message: (message) => {
              for (const each of many) each.message(message as never)
            }
          },
          options
        )
      }
    }
  }),
  inMessages('publishes at once fail', /50 publishes at once/, (messages, node) => {
    let running = 0
    return {
      publish: async (topic, payload, options) => {
        if (running > 4) throw node.error('OVERLOADED', 'messages.publish', 'validation ignored')
        running++
        try {
          return await messages.publish(topic, payload, options)
        } finally {
          running--
        }
      }
    }
  }),
  inMessages('publishes at once are lost', /50 publishes at once/, (messages) => {
    let running = 0
    return {
      publish: async (topic, payload, options) => {
        if (running > 4 && options?.signal?.aborted === false) return { recipients: 1 }
        running++
        try {
          return await messages.publish(topic, payload, options)
        } finally {
          running--
        }
      }
    }
  }),
  inRouting('searches at once share one result', /20 provides and searches/, (routing) => {
    let last: unknown
    return {
      findProviders: (cid, options) => {
        const first = last ?? cid
        last = first
        setTimeout(() => (last = undefined), 0)
        return routing.findProviders(first as typeof cid, options)
      }
    }
  })
]
