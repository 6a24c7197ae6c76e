import type { Backend } from './port/backend.ts'

/**
 * Wraps a backend and is one: retry, timeout, metrics. It keeps `name`, and changes `capabilities` only where it changes the
 * promise. `aroundCalls` makes one that keeps what the backend has beyond the port.
 */
export type Layer = <B extends Backend>(backend: B) => B

/** Wraps from the inside out: `compose(engine, retry(), timeout())` gives timeout around retry around engine. */
export function compose<B extends Backend>(backend: B, ...layers: readonly Layer[]): B {
  return layers.reduce((inner, layer) => layer(inner), backend)
}
