import type { EntryRecord } from '../entry/codec.ts'
import type { Candidate } from '../intake/admission.ts'
import { limits } from '../limits.ts'
import type { Leaf } from '../tree/walk.ts'

/** Leaves that are checked and taken together. */
export class Batch {
  readonly leaves: Leaf[] = []
  readonly entries: EntryRecord[] = []
  bytes = 0

  push(leaf: Leaf): void {
    this.leaves.push(leaf)
    for (const entry of leaf.entries) {
      this.entries.push(entry)
      this.bytes += entry.bytes.length
    }
  }

  get isFull(): boolean {
    return this.entries.length >= limits.batchEntries || this.bytes >= limits.batchBytes
  }
}

/** A batch that is being checked. */
interface Ahead {
  readonly batch: Batch
  readonly checks: Promise<readonly Candidate[]>
  checked: boolean
}

/** Batches that are being checked, in the order of the walk. */
export class BatchesAhead {
  readonly #batches: Ahead[] = []

  get size(): number {
    return this.#batches.length
  }

  /** Whether the first batch must be taken before another one is checked. */
  get isFull(): boolean {
    return this.size >= limits.batchesAhead
  }

  /** Whether the first batch can be taken without waiting. */
  get isChecked(): boolean {
    return this.#batches[0]?.checked === true
  }

  push(batch: Batch, checks: Promise<readonly Candidate[]>): void {
    const ahead: Ahead = { batch, checks, checked: false }
    void settle(ahead)
    this.#batches.push(ahead)
  }

  shift(): Ahead {
    return this.#batches.shift() as Ahead
  }
}

/** It is awaited again later; until then a failure must not count as unhandled. */
async function settle(ahead: Ahead): Promise<void> {
  await Promise.allSettled([ahead.checks])
  ahead.checked = true
}
