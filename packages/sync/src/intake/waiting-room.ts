import type { PeerInfo } from '@p2pl/core'
import type { Budget } from '@p2pl/core/backend'
import type { EntryRecord } from '../entry/codec.ts'

/** Where an entry came from: the sender that is judged by it, and providers of its parents. */
export interface Origin {
  readonly sender: string
  readonly providers: readonly PeerInfo[]
  /** The number of missing parents between this entry and an announced one. */
  readonly depth: number
}

export interface Pending {
  readonly entry: EntryRecord
  readonly origin: Origin
  readonly missing: Set<string>
  readonly giveBack: () => void
}

/** Memory that a waiting entry takes in addition to its bytes. */
const overhead = 4096

/** Checked entries that wait for parents, within the budget of their sender. */
export class WaitingRoom {
  readonly #budget: Budget
  /** Called when no entry waits for this parent any more. */
  readonly #unwanted: (id: string) => void
  readonly #pending: Map<string, Pending> = new Map()
  readonly #waiting: Map<string, Set<Pending>> = new Map()

  constructor(budget: Budget, unwanted: (id: string) => void) {
    this.#budget = budget
    this.#unwanted = unwanted
  }

  get size(): number {
    return this.#pending.size
  }

  has(id: string): boolean {
    return this.#pending.has(id)
  }

  /** Returns false when the sender's budget is used up. */
  add(entry: EntryRecord, origin: Origin, missing: readonly string[]): boolean {
    const giveBack = this.#budget.take(origin.sender, entry.bytes.length + overhead)
    if (giveBack === undefined) return false
    const pending: Pending = { entry, origin, missing: new Set(missing), giveBack }
    this.#pending.set(entry.id, pending)
    for (const id of missing) {
      const children = this.#waiting.get(id)
      if (children === undefined) this.#waiting.set(id, new Set([pending]))
      else children.add(pending)
    }
    return true
  }

  /** The parent has arrived. Removes and returns the entries that waited only for it. */
  arrived(id: string): Pending[] {
    const children = this.#waiting.get(id)
    if (children === undefined) return []
    this.#waiting.delete(id)
    const complete: Pending[] = []
    for (const child of children) {
      child.missing.delete(id)
      if (child.missing.size > 0) continue
      this.#remove(child)
      complete.push(child)
    }
    return complete
  }

  /** The entry no longer waits. */
  leave(id: string): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined) this.#remove(pending)
  }

  /** The parent will not come. Removes and returns all entries that build on it. */
  dropBelow(first: string): EntryRecord[] {
    const dropped: EntryRecord[] = []
    const parents = [first]
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      this.#unwanted(parent)
      const children = this.#waiting.get(parent)
      if (children === undefined) continue
      this.#waiting.delete(parent)
      for (const child of children) {
        this.#remove(child)
        dropped.push(child.entry)
        parents.push(child.entry.id)
      }
    }
    return dropped
  }

  #remove(pending: Pending): void {
    if (!this.#pending.delete(pending.entry.id)) return
    pending.giveBack()
    for (const id of pending.missing) {
      const children = this.#waiting.get(id)
      children?.delete(pending)
      if (children?.size === 0) {
        this.#waiting.delete(id)
        this.#unwanted(id)
      }
    }
  }
}
