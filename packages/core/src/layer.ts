import { invalidArgument } from './errors.ts'
import type { Backend } from './port/backend.ts'
import { checkBackend } from './toolbox/actors.ts'
import { describe } from './toolbox/options.ts'

/**
 * Wraps a backend and is one: retry, timeout, metrics. It keeps `name`, and changes `capabilities` only if it changes the
 * promise. `aroundCalls` makes a layer that keeps everything that the backend has beyond the port.
 */
export type Layer = <B extends Backend>(backend: B) => B

/**
 * Wraps from the inside out: `compose(engine, retry(), timeout())` puts timeout around retry around engine. Throws
 * `INVALID_ARGUMENT`.
 */
export function compose<B extends Backend>(backend: B, ...layers: readonly Layer[]): B {
  checkBackend('compose', 'the first argument', backend)
  return layers.reduce((inner, layer) => {
    if (typeof layer !== 'function') {
      const fix = 'such as retry() or timeout({ get: 10_000 }), not'
      throw invalidArgument('compose', `compose: behind the backend come layers, ${fix} ${describe(layer)}`)
    }
    const outer: unknown = layer(inner)
    checkBackend('compose', 'the result of a layer', outer)
    return outer as B
  }, backend)
}
