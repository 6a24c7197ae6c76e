import type { LedgerEntry, LedgerState } from '../rules/state.ts'
import { describeEntry } from '../service/describe.ts'
import type { EntryView } from '../service/views.ts'

export type NodeEvent =
  /** A new entry. */
  | { readonly type: 'entry'; readonly data: EntryView }
  /** An earlier entry arrived late and changed the outcome of this one. */
  | { readonly type: 'overturned'; readonly data: EntryView }
  /** This entry gained confirmations. */
  | { readonly type: 'confirmed'; readonly data: { cid: string; confirmations: number } }
  /** The root of all entries changed, here or in the report of another peer. */
  | { readonly type: 'digest'; readonly data: { root: string; entries: number } }

export type NodeListener = (event: NodeEvent) => void

/** Gathers what changed in one turn of the event loop and tells the listeners once. */
export class NodeEvents {
  readonly #state: LedgerState
  readonly #listeners = new Set<NodeListener>()
  #scheduled = false

  constructor(state: LedgerState) {
    this.#state = state
  }

  listen(listener: NodeListener): () => void {
    // It hears only of changes from now on.
    this.#flush()
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  stop(): void {
    this.#listeners.clear()
  }

  /** The state has changed. */
  changed(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  digest(root: string, entries: number): void {
    this.#emit({ type: 'digest', data: { root, entries } })
  }

  #flush(): void {
    const { added, overturned, confirmed } = this.#state.changes()
    if (this.#listeners.size === 0) return
    for (const entry of added) this.#emit({ type: 'entry', data: describeEntry(entry) })
    for (const entry of overturned) this.#emit({ type: 'overturned', data: describeEntry(entry) })
    const isNew = new Set<LedgerEntry>(added)
    for (const entry of confirmed) {
      if (isNew.has(entry)) continue
      const { cid, confirmations } = describeEntry(entry)
      this.#emit({ type: 'confirmed', data: { cid, confirmations } })
    }
  }

  #emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
