import type { Layer } from '../layer.ts'
import type { Backend } from '../port/backend.ts'
import type { AbortOptions, Block, PeerInfo } from '../port/common.ts'
import type { Subscriber } from '../port/messages.ts'
import type { CID } from 'multiformats/cid'
import { checkBackend } from '../toolbox/actors.ts'
import { override } from '../toolbox/override.ts'
import { argumentsOf, type Operation, type Part, partOperations } from './operations.ts'

/** One call of the port on its way through a layer. The operation determines which arguments are present. */
export interface LayerCall {
  readonly operation: Operation
  /** Name of the backend. */
  readonly backend: string
  /** The caller's options: its signal and context, and the options of the operation itself. */
  readonly options: AbortOptions & {
    readonly local?: boolean | undefined
    readonly remote?: boolean | undefined
    readonly providers?: readonly PeerInfo[] | undefined
    readonly limit?: number | undefined
  }
  readonly topic?: string | undefined
  readonly payload?: Uint8Array | undefined
  readonly cid?: CID | undefined
  readonly blocks?: readonly Block[] | undefined
  readonly peer?: PeerInfo | undefined
  /** Engine-level id of a peer. */
  readonly id?: string | undefined
}

/** What a layer may change in a call before it passes the call on. Everything else stays as the caller gave it. */
export type Changes = AbortOptions

/** All that a layer defines: what it does around a call, around an iteration, and between backend and subscriber. */
export interface Interceptor {
  /** Around every call that returns a promise, including `start` and `stop`. `run` may be called any number of times. */
  call?<T>(call: LayerCall, run: (changes?: Changes) => Promise<T>): Promise<T>
  /** Around every call that iterates. */
  iterate?<T>(call: LayerCall, run: (changes?: Changes) => AsyncIterable<T>): AsyncIterable<T>
  /** Between the backend and a subscriber. */
  subscriber?(subscriber: Subscriber, topic: string, backend: string): Subscriber
}

type Method = (...args: unknown[]) => unknown

/**
 * Makes a layer from an interceptor. The layer keeps everything that the backend has beyond the port, such as `engine`,
 * `stats()` and `magnet()`.
 */
export function aroundCalls(interceptor: Interceptor): Layer {
  return <B extends Backend>(backend: B): B => {
    checkBackend('a layer', 'what it wraps', backend)
    const own: Partial<Record<keyof Backend, unknown>> = {
      start: wrap(backend, interceptor, 'start', (options) => backend.start(options as AbortOptions)),
      stop: wrap(backend, interceptor, 'stop', (options) => backend.stop(options as AbortOptions)),
      messages: wrapPart(backend, interceptor, 'messages'),
      blocks: wrapPart(backend, interceptor, 'blocks'),
      routing: wrapPart(backend, interceptor, 'routing')
    }
    return override(backend, own)
  }
}

function wrapPart(backend: Backend, interceptor: Interceptor, part: Part): object | undefined {
  const inner = backend[part] as unknown as Record<string, Method> | undefined
  if (inner === undefined) return undefined
  const wrapped = Object.fromEntries(
    partOperations(part).map((name) => [
      name,
      wrap(backend, interceptor, `${part}.${name}` as Operation, (...args) => inner[name]?.(...args))
    ])
  )
  // `parseAddress` and `bootstrap` are not calls: they stay the backend's own.
  return Object.setPrototypeOf(wrapped, inner) as object
}

function wrap(backend: Backend, interceptor: Interceptor, operation: Operation, inner: Method): Method {
  const { names, iterates } = argumentsOf(operation)
  return (...given) => {
    const options = (given[names.length] ?? {}) as LayerCall['options']
    const args = given.slice(0, names.length)
    if (operation === 'messages.subscribe' && interceptor.subscriber !== undefined) {
      args[1] = interceptor.subscriber(args[1] as Subscriber, args[0] as string, backend.name)
    }
    const run = (changes?: Changes): never =>
      inner(...args, changes === undefined ? given[names.length] : { ...options, ...changes }) as never
    const fields: Record<string, unknown> = { operation, backend: backend.name, options }
    for (const [index, name] of names.entries()) fields[name] = args[index]
    const call = fields as unknown as LayerCall
    return (iterates ? interceptor.iterate?.(call, run) : interceptor.call?.(call, run)) ?? run()
  }
}
