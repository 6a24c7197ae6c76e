import type { Backend } from '@p2pl/core/backend'

/**
 * A crashed process neither resolves nor rejects anything: its code stands still wherever it waits, and whatever it
 * still calls never answers. Otherwise a dead peer would go on as a ghost beside its own successor.
 */
export function freezable(backend: Backend, frozen: () => boolean): Backend {
  const guard = <T extends object>(part: T): T => {
    const guarded: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(part))
      guarded[name] = typeof value === 'function' ? guardCall(part, value as Call, frozen) : value
    return guarded as T
  }
  return {
    ...guard(backend),
    self: () => backend.self(),
    messages: backend.messages && guard(backend.messages),
    blocks: backend.blocks && guard(backend.blocks),
    routing: backend.routing && guard(backend.routing)
  }
}

type Call = (...input: unknown[]) => unknown

function guardCall(part: object, call: Call, frozen: () => boolean): Call {
  return (...input) => {
    if (!frozen()) return call.apply(part, input)
    const never = new Promise<never>(() => undefined)
    // Usable as a promise and as an iterable.
    return Object.assign(never, { [Symbol.asyncIterator]: () => ({ next: () => never }) })
  }
}
