import type { Backend, Block, Subscriber } from '@p2pl/core/backend'
import type { Operation } from '../operations.ts'

export type Blocks = Iterable<Block> | AsyncIterable<Block>

/** One call of the port on its way through a layer. */
export interface Call {
  readonly operation: Operation
  /** Name of the backend. */
  readonly backend: string
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined
  /** Bytes handed in, where they are known from the start: a payload, a block. */
  readonly sentBytes?: number | undefined
  /** What `putMany` is to store. */
  readonly blocks?: Blocks | undefined
  /** The call looks at the own store only. */
  readonly local?: boolean | undefined
  /** Takes back a result that came after its caller had gone. */
  readonly discard?: ((result: unknown) => void) | undefined
}

/** What a layer may change about a call before it hands it on; what it leaves out stays as the caller gave it. */
export interface Changes {
  readonly signal?: AbortSignal | undefined
  readonly blocks?: Blocks | undefined
}

export type Run<T> = (changes?: Changes) => Promise<T>
export type Iterate<T> = (changes?: Changes) => AsyncIterable<T>

/** All that a layer has to say: what it does around a call, around an iteration, and between engine and subscriber. */
export interface Interceptor {
  call<T>(call: Call, run: Run<T>): Promise<T>
  iterate<T>(call: Call, run: Iterate<T>): AsyncIterable<T>
  subscriber?(subscriber: Subscriber, topic: string, backend: string): Subscriber
}

/** The part that the capabilities promise. */
export function part<K extends 'messages' | 'blocks' | 'routing'>(backend: Backend, name: K): NonNullable<Backend[K]> {
  const found = backend[name]
  if (found === undefined) throw new TypeError(`the backend "${backend.name}" declares ${name} but has none`)
  return found
}

export function merge<O extends { signal?: AbortSignal | undefined }>(
  options: O | undefined,
  changes: Changes | undefined
): O | undefined {
  return changes === undefined || !('signal' in changes) ? options : ({ ...options, signal: changes.signal } as O)
}
