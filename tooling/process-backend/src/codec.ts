import { isP2plError, P2plError, type P2plErrorInit } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'

export type Callable = (...args: readonly unknown[]) => unknown

/** Functions and signals stay in their own process and are called there. They cross as numbers. */
export interface References {
  /** Makes the function callable from the other side. */
  exportFunction(fn: Callable): number
  importFunction(id: number): Callable
  exportSignal(signal: AbortSignal): number
  importSignal(id: number): AbortSignal
}

/** Marks an encoded value. No backend has an object with this key. */
const mark = '#p2pl'

type Disguised =
  | { readonly [mark]: 'cid'; readonly bytes: Uint8Array }
  | { readonly [mark]: 'function'; readonly id: number }
  | { readonly [mark]: 'signal'; readonly id: number }
  | { readonly [mark]: 'iterable'; readonly next: number; readonly end: number }
  | { readonly [mark]: 'p2pl-error'; readonly init: P2plErrorInit; readonly cause: unknown }
  | { readonly [mark]: 'error'; readonly name: string; readonly message: string; readonly stack: string | undefined }

/** Encodes a value so that a structured clone can carry it. */
export function encode(value: unknown, references: References): unknown {
  if (typeof value === 'function')
    return { [mark]: 'function', id: references.exportFunction(value as Callable) } satisfies Disguised
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const cid = CID.asCID(value)
  if (cid !== null) return { [mark]: 'cid', bytes: cid.bytes } satisfies Disguised
  if (value instanceof AbortSignal) return { [mark]: 'signal', id: references.exportSignal(value) } satisfies Disguised
  if (value instanceof Error) return encodeError(value, references)
  if (Array.isArray(value)) return value.map((one) => encode(one, references))
  if (Symbol.asyncIterator in value) return encodeIterable(value as AsyncIterable<unknown>, references)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encode(one, references)]))
}

/** It does not run before the first value is requested. */
function encodeIterable(iterable: AsyncIterable<unknown>, references: References): Disguised {
  let iterator: AsyncIterator<unknown> | undefined
  const running = (): AsyncIterator<unknown> => (iterator ??= iterable[Symbol.asyncIterator]())
  return {
    [mark]: 'iterable',
    next: references.exportFunction(() => running().next()),
    end: references.exportFunction(() => running().return?.())
  }
}

function encodeError(error: Error, references: References): Disguised {
  if (!isP2plError(error)) return { [mark]: 'error', name: error.name, message: error.message, stack: error.stack }
  const { code, message, retryable, operation, backend, exhausted, cause } = error
  const init = { code, message, retryable, operation, backend, exhausted }
  return { [mark]: 'p2pl-error', init, cause: encode(cause, references) }
}

export function decode(value: unknown, references: References): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return plain(value)
  if (Array.isArray(value)) return value.map((one) => decode(one, references))
  if (!(mark in value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decode(one, references)]))
  const disguised = value as Disguised
  switch (disguised[mark]) {
    case 'cid':
      return CID.decode(plain(disguised.bytes) as Uint8Array)
    case 'function':
      return references.importFunction(disguised.id)
    case 'signal':
      return references.importSignal(disguised.id)
    case 'iterable':
      return decodeIterable(references.importFunction(disguised.next), references.importFunction(disguised.end))
    case 'p2pl-error':
      return new P2plError({ ...disguised.init, cause: decode(disguised.cause, references) })
    case 'error':
      return Object.assign(new Error(disguised.message), { name: disguised.name, stack: disguised.stack })
    default:
      return disguised satisfies never
  }
}

/** Converts a Buffer to a plain Uint8Array. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array && value.constructor !== Uint8Array ? new Uint8Array(value) : value
}

async function* decodeIterable(next: Callable, end: Callable): AsyncGenerator<unknown, void, undefined> {
  try {
    for (;;) {
      const { value, done } = (await next()) as IteratorResult<unknown>
      if (done === true) return
      yield value
    }
  } finally {
    await end()
  }
}
