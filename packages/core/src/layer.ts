import type { Backend } from './port/backend.ts'

/**
 * Something that wraps a backend and is one: retry, deadline, metrics. It keeps `name`, and changes `capabilities` only
 * where it changes the promise.
 */
export type Layer = (backend: Backend) => Backend

/** Wraps from the inside out: `compose(engine, retry(), deadline())` gives deadline around retry around engine. */
export function compose(backend: Backend, ...layers: readonly Layer[]): Backend {
  return layers.reduce((inner, layer) => layer(inner), backend)
}
