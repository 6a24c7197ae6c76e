import type { EntryRecord } from '../entry/codec.ts'
import type { Check } from '../intake/checks.ts'
import { limits } from '../limits.ts'
import type { Leaf } from '../tree/walk.ts'

/** A leaf whose entries are being checked. */
export interface Ahead {
  readonly leaf: Leaf
  readonly checks: Promise<readonly Check[]>
}

/** Leaves that are being checked, in the order of the walk, and how much is in them. */
export class LeavesAhead {
  readonly #leaves: Ahead[] = []
  #entries = 0
  #bytes = 0

  get size(): number {
    return this.#leaves.length
  }

  /** Whether the first of several is to be taken before another one is checked. */
  get isFull(): boolean {
    return this.size > 1 && (this.#entries > limits.checkAhead || this.#bytes > limits.checkAheadBytes)
  }

  push(leaf: Leaf, checks: Promise<readonly Check[]>): void {
    // Awaited in its turn; until then a failure must not count as unhandled.
    checks.catch(() => undefined)
    this.#leaves.push({ leaf, checks })
    this.#entries += leaf.entries.length
    this.#bytes += bytesOf(leaf.entries)
  }

  shift(): Ahead {
    const first = this.#leaves.shift() as Ahead
    this.#entries -= first.leaf.entries.length
    this.#bytes -= bytesOf(first.leaf.entries)
    return first
  }
}

export function bytesOf(entries: readonly EntryRecord[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
