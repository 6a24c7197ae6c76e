import type { CID } from 'multiformats/cid'
import type { Data } from '../api/data.ts'
import type { Progress } from '../port/common.ts'
import { identityBytes } from '../content/hash.ts'
import { codecs } from '../content/layout.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { BlockCapabilities } from '../port/capabilities.ts'
import type { BlockTransport } from '../port/blocks.ts'
import { checkFlag, checkFunction, checkNumber, describe } from '../toolbox/options.ts'
import { add } from './add.ts'
import { Calls } from './calls.ts'
import { toCid } from './cid-input.ts'
import type { DataContext } from './context.ts'
import { hasDeep } from './has.ts'
import { Provider } from './provider.ts'
import { reach } from './reach.ts'
import { read, readBytes, stat } from './read.ts'
import { StoreLock } from './store-lock.ts'
import { release, willing } from './willing.ts'

/** The form that the peer itself uses; apps see {@link Data}. */
export interface OwnData extends Data {
  /** Called when the backend has connected to another peer. */
  peerConnected(): void
  /** Ends pending calls with `NOT_RUNNING`, and background providing. */
  stop(): Promise<void>
}

/** Files of a peer, over the backend's blocks and routing. */
export function createData(context: DataContext): OwnData {
  const calls = new Calls(context)
  const provider = new Provider(calls)
  const lock = new StoreLock()
  const { timeouts } = context

  const withFeature = (feature: 'pins' | 'gc', operation: string): BlockTransport => {
    const { transport, capabilities } = calls.blocks(operation)
    if (capabilities[feature] === 'none') throw missing(feature, context, operation)
    return transport
  }

  return {
    add: (source, options) => add(calls, provider, lock, source, options),
    reach: (input, options) => reach(calls, input, options),
    willing: (options) => willing(calls, options),
    release: (input, options) => release(calls, input, options),
    get: (input, options) => read(calls, 'data.get', input, options),
    bytes: (input, options) => readBytes(calls, input, options),
    stat: (input, options) => stat(calls, input, options),

    async has(input, options) {
      const operation = 'data.has'
      const cid = toCid(input, operation)
      const { transport } = calls.blocks(operation)
      checkFlag(operation, 'deep', options?.deep)
      return await calls.run(
        options,
        timeouts.store,
        operation,
        async (countdown) => {
          const { signal } = countdown
          const has = async (block: typeof cid): Promise<boolean> =>
            isInline(block, operation) || (await calls.port(operation, () => transport.has(block, { signal })))
          if (options?.deep === false) return await has(cid)
          return await hasDeep(cid, {
            operation,
            has,
            fetch: calls.fetcher(operation, { local: true }, countdown, cid),
            onProgress: () => {
              countdown.renew()
            }
          })
        },
        ['deep']
      )
    },

    async pin(input, options) {
      const operation = 'data.pin'
      const cid = toCid(input, operation)
      const transport = withFeature('pins', operation)
      if (isInline(cid, operation)) {
        if (cid.code === codecs.raw) return
        throw invalidArgument(operation, 'an identity CID cannot be pinned: pin what it links to')
      }
      const { recursive, providers, onProgress } = options ?? {}
      const maxBytes = checkNumber(operation, 'maxBytes', options?.maxBytes, { min: 0 }, undefined)
      checkFlag(operation, 'recursive', recursive)
      checkFunction(operation, 'onProgress', onProgress)
      await calls.run(
        options,
        timeouts.store,
        operation,
        async (countdown) => {
          const { signal } = countdown
          const told = (progress: Progress): void => {
            countdown.renew()
            onProgress?.(progress)
          }
          const given = { recursive, providers, maxBytes, onProgress: told, signal, context: options?.context }
          await calls.port(operation, () => transport.pin(cid, given))
          if (recursive !== false) context.receipts?.()?.pinned(cid)
        },
        ['recursive', 'providers', 'maxBytes', 'onProgress']
      )
    },

    async unpin(input, options) {
      const operation = 'data.unpin'
      const cid = toCid(input, operation)
      const transport = withFeature('pins', operation)
      if (isInline(cid, operation)) return
      await calls.run(options, timeouts.store, operation, ({ signal }) =>
        calls.port(operation, () => transport.unpin(cid, { signal }))
      )
      context.receipts?.()?.unpinned(cid)
    },

    pins(options) {
      const operation = 'data.pins'
      return calls.iterate(options, timeouts.store, operation, true, ({ signal }) => {
        const transport = withFeature('pins', operation)
        return calls.portItems(operation, () => transport.pins({ signal }))
      })
    },

    gc(options) {
      const operation = 'data.gc'
      return calls.iterate(options, timeouts.store, operation, true, ({ signal }) => {
        const transport = withFeature('gc', operation)
        return calls.portItems(operation, () => collect(lock, signal, gc))
        async function* gc(): AsyncGenerator<CID> {
          yield* transport.gc({ signal })
          context.receipts?.()?.collected()
        }
      })
    },

    async protect(work) {
      context.assertRunning('data.protect')
      if (typeof work !== 'function') {
        throw invalidArgument('data.protect', `data.protect: give it a function, not ${describe(work)}`)
      }
      return await lock.add(calls.life, work)
    },

    async provide(input, options) {
      const operation = 'data.provide'
      const cid = toCid(input, operation)
      const routing = calls.routing('provide', operation)
      if (isInline(cid, operation)) return
      await calls.run(options, timeouts.routing, operation, ({ signal }) =>
        calls.port(operation, () => routing.provide(cid, { signal, context: options?.context }))
      )
      provider.provided(cid)
    },

    async unprovide(input, options) {
      const operation = 'data.unprovide'
      const cid = toCid(input, operation)
      const pending = provider.cancel(cid)
      // Not provided yet: there is nothing to take back, even if the backend could not do it.
      if (pending && !calls.canRoute('unprovide')) return
      const routing = calls.routing('unprovide', operation)
      if (isInline(cid, operation)) return
      await calls.run(options, timeouts.routing, operation, ({ signal }) =>
        calls.port(operation, () => routing.unprovide(cid, { signal, context: options?.context }))
      )
    },

    findProviders(input, options) {
      const operation = 'data.findProviders'
      return calls.iterate(
        options,
        timeouts.routing,
        operation,
        false,
        ({ signal }) => {
          const cid = toCid(input, operation)
          const limit = options?.limit
          if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
            throw invalidArgument(operation, `limit must be a whole number from 1, not ${String(limit)}`)
          }
          const routing = calls.routing('findProviders', operation)
          if (isInline(cid, operation)) return nothing()
          return calls.portItems(operation, () => routing.findProviders(cid, { signal, limit }))
        },
        ['limit']
      )
    },

    peerConnected: () => provider.peerConnected(),

    async stop() {
      provider.stop()
      calls.stop()
    }
  }
}

/** Identity CIDs carry their bytes: every peer has them, and no backend is asked. */
function isInline(cid: CID, operation: string): boolean {
  return identityBytes(cid, operation) !== undefined
}

async function* collect(
  lock: StoreLock,
  signal: AbortSignal,
  gc: () => AsyncIterable<CID>
): AsyncGenerator<CID, void, undefined> {
  const done = await lock.collect(signal)
  try {
    yield* gc()
  } finally {
    done()
  }
}

async function* nothing(): AsyncGenerator<never> {}

function missing(feature: keyof BlockCapabilities, context: DataContext, operation: string): Error {
  return unsupported(context.backend.name, operation, `it declares blocks.${feature} as none`)
}
