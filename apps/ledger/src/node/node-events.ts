import type { CID } from 'multiformats/cid'
import { describeEntry } from '../service/describe.ts'
import type { EntryView } from '../service/views.ts'
import { cidOfKey } from '../state/keys.ts'
import type { LedgerEntry, RawEntry } from '../state/entry-reader.ts'
import type { LedgerState } from '../state/ledger-state.ts'

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

/** The most new entries that are reported together with their effects. */
const mostNew = 4_096

/** Tells the listeners what changed in the state. Nothing is collected while there are no listeners. */
export class NodeEvents {
  readonly #state: LedgerState
  readonly #listeners = new Set<NodeListener>()
  #added: RawEntry[] = []

  constructor(state: LedgerState) {
    this.#state = state
  }

  listen(listener: NodeListener): () => void {
    this.#listeners.add(listener)
    this.#state.observed = true
    return () => {
      this.#listeners.delete(listener)
      this.#state.observed = this.#listeners.size > 0
    }
  }

  stop(): void {
    this.#listeners.clear()
  }

  async added(entries: readonly RawEntry[]): Promise<void> {
    if (this.#listeners.size === 0) return
    this.#added.push(...entries)
    if (this.#added.length >= mostNew) await this.changed()
  }

  /** The state has changed. */
  async changed(): Promise<void> {
    const added = this.#added
    this.#added = []
    const { overturned, confirmed } = this.#state.changes()
    if (this.#listeners.size === 0) return
    const isNew = new Set<string>()
    for (const raw of added) {
      isNew.add(raw.cid.toString())
      const entry = await this.#state.describe(raw)
      if (entry !== undefined) this.#emit({ type: 'entry', data: describeEntry(entry) })
    }
    const known = async (cid: CID): Promise<LedgerEntry | undefined> =>
      isNew.has(cid.toString()) ? undefined : await this.#state.get(cid)
    for (const key of overturned) {
      const entry = await known(cidOfKey(key))
      if (entry !== undefined) this.#emit({ type: 'overturned', data: describeEntry(entry) })
    }
    for (const key of confirmed) {
      const entry = await known(cidOfKey(key))
      if (entry === undefined) continue
      const { cid, confirmations } = describeEntry(entry)
      this.#emit({ type: 'confirmed', data: { cid, confirmations } })
    }
  }

  digest(root: string, entries: number): void {
    this.#emit({ type: 'digest', data: { root, entries } })
  }

  #emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
