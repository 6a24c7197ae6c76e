import { BoundedMap, isLeaf, type LayerCall } from '@p2pl/core/backend'
import { bytesSent } from './size.ts'

/** Samples that are kept of each kind. */
const kept = 128
/** An upper bound for the number of kinds: 20 operations of a few sizes, on several backends. */
const maxKinds = 1_024
const smallest = 64 * 1024

interface Samples {
  readonly values: Float64Array
  count: number
  /** In ascending order; computed when it is asked for. */
  sorted: Float64Array | undefined
}

/** How long calls took: the last 128 of each kind. */
export class Durations {
  readonly #kinds = new BoundedMap<string, Samples>(maxKinds)

  record(kind: string, ms: number): void {
    let samples = this.#kinds.touch(kind)
    if (samples === undefined) {
      samples = { values: new Float64Array(kept), count: 0, sorted: undefined }
      this.#kinds.set(kind, samples)
    }
    samples.values[samples.count++ % kept] = ms
    samples.sorted = undefined
  }

  /** The duration that `share` (0 to 1) of the calls stayed within; `undefined` with fewer than `least` samples. */
  percentile(kind: string, share: number, least: number): number | undefined {
    const samples = this.#kinds.get(kind)
    if (samples === undefined || samples.count < least) return undefined
    samples.sorted ??= samples.values.slice(0, Math.min(samples.count, kept)).sort()
    return samples.sorted[Math.max(0, Math.ceil(samples.sorted.length * share) - 1)]
  }
}

/** Calls that can be expected to take equally long: those of the same backend, operation and size class. */
export function kindOf(call: LayerCall): string {
  return `${call.backend}/${call.operation}/${sizeClass(call)}`
}

/**
 * Bytes that are sent have a size. Of a requested block only the CID is known: leaves hold the data, and all other blocks
 * are small.
 */
function sizeClass(call: LayerCall): string {
  if (call.operation === 'blocks.get') {
    if (call.options.local === true) return 'local'
    return isLeaf(call.cid?.code ?? 0) ? 'leaf' : 'node'
  }
  return String(Math.max(0, Math.ceil(Math.log2(bytesSent(call) / smallest))))
}
