import { P2plError } from '@p2pl/core'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import { moveTips } from '../store/authors.ts'
import type { AuthorTips } from '../store/authors.ts'
import { headChange } from '../store/heads.ts'
import type { Head } from '../store/heads.ts'
import type { Committed, Store } from '../store/store.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { Slots } from '@p2pl/core/backend'
import { Tips } from './tips.ts'

/** Entries that are written together. */
interface Group {
  readonly entries: readonly Committed[]
  resolve(): void
  reject(error: unknown): void
}

/**
 * Group commit: entries that are staged during a write go into the next write, and each write is synced. A staged entry
 * counts as present for its children at once, because it is written no later than they are.
 */
export class Committer {
  readonly #store: Store
  readonly #lock: Slots
  readonly #onCommitted: (batch: readonly Committed[]) => void
  readonly #staged: Map<string, { readonly clock: number; readonly synced: Promise<void> }> = new Map()
  readonly #recent: BoundedMap<string, number> = new BoundedMap(limits.recent, (_, clock) => {
    this.#floor = Math.max(this.#floor, clock)
  })
  /** An entry with a larger clock is either in memory or not in the store. */
  #floor = 0
  /** The current heads, and the heads once all staged entries are written. */
  readonly heads: Tips
  #tips: Tips
  #authors: AuthorTips
  #queue: Group[] = []
  #stagedBytes = 0
  #writing = false
  #room: (() => void)[] = []
  /** Counts failed writes. An entry that was built on a failed one must not be staged. */
  generation = 0

  constructor(store: Store, lock: Slots, onCommitted: (batch: readonly Committed[]) => void) {
    this.#store = store
    this.#lock = lock
    this.#onCommitted = onCommitted
    this.heads = new Tips(store.heads.values())
    this.#tips = new Tips(store.heads.values())
    this.#authors = new Map(store.authors)
    for (const { clock } of store.heads.values()) this.#floor = Math.max(this.#floor, clock)
  }

  get tips(): Tips {
    return this.#tips
  }

  /** A head that is the author's latest entry or descends from it, if the author has appended here. */
  tipOf(author: Bytes): Head | undefined {
    return this.#authors.get(mapKey(author))?.tip
  }

  /** The clock of an entry that is staged or was written recently. */
  clockNow(id: string): number | undefined {
    return this.#staged.get(id)?.clock ?? this.#recent.get(id)
  }

  async clockOf(id: string, digest: Bytes): Promise<number | undefined> {
    return this.clockNow(id) ?? (await this.#store.clockOf(digest)) ?? this.clockNow(id)
  }

  /** Whether each of these entries is here. Entries above `#floor` need no read of the store. */
  async present(entries: readonly EntryRecord[]): Promise<boolean[]> {
    const old = entries.filter(({ id, clock }) => clock <= this.#floor && this.clockNow(id) === undefined)
    const stored = old.length === 0 ? [] : await this.#store.clocksOf(old.map(({ digest }) => digest))
    const found = new Set(old.filter((_, i) => stored[i] !== undefined))
    return entries.map((entry) => this.clockNow(entry.id) !== undefined || found.has(entry))
  }

  /** The clocks of many entries, with at most one read of the store. */
  async clocksOf(all: readonly { readonly id: string; readonly digest: Bytes }[]): Promise<(number | undefined)[]> {
    const clocks = all.map(({ id }) => this.clockNow(id))
    const unknown = all.filter((_, i) => clocks[i] === undefined)
    const stored = unknown.length === 0 ? [] : await this.#store.clocksOf(unknown.map(({ digest }) => digest))
    let next = 0
    return all.map(({ id }, i) => clocks[i] ?? stored[next++] ?? this.clockNow(id))
  }

  /**
   * Takes entries whose parents are all present or come earlier in the list. One write stores all of them or none.
   * Resolves when they are on disk. Entries that are already here are skipped.
   */
  stage(all: readonly Committed[]): Promise<void> {
    const entries: Committed[] = []
    const underWay = new Set<Promise<void>>()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    for (const one of all) {
      const { entry, local } = one
      const known = this.#staged.get(entry.id)
      if (known !== undefined) underWay.add(known.synced)
      if (known !== undefined || this.#recent.has(entry.id)) continue
      entries.push(one)
      this.#staged.set(entry.id, { clock: entry.clock, synced: promise })
      this.#stagedBytes += entry.bytes.length
      moveTips(this.#authors, entry, local)
    }
    this.#tips.change(headChange(entries))
    if (entries.length === 0) resolve()
    else this.#queue.push({ entries, resolve, reject })
    if (!this.#writing && entries.length > 0) void this.#write()
    return underWay.size === 0 ? promise : Promise.all([promise, ...underWay]).then(() => undefined)
  }

  /** Resolves when there is room for more entries from the network. */
  async room(): Promise<void> {
    while (this.#stagedBytes > limits.stagedBytes) {
      await new Promise<void>((resolve) => this.#room.push(resolve))
    }
  }

  /** Resolves when everything that is staged now is on disk. */
  async flushed(): Promise<void> {
    await Promise.allSettled(new Set(Array.from(this.#staged.values(), ({ synced }) => synced)))
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#writing) await new Promise<void>((resolve) => this.#room.push(resolve))
  }

  async #write(): Promise<void> {
    this.#writing = true
    while (this.#queue.length > 0) {
      let groups: Group[] = []
      let batch: readonly Committed[] = []
      try {
        await this.#lock.run(async () => {
          // The queue is taken only now, so it includes entries that were staged while waiting for the lock.
          groups = this.#queue
          this.#queue = []
          batch = groups.flatMap(({ entries }) => entries)
          this.heads.change(await this.#store.commit(batch))
        })
      } catch (cause) {
        this.#fail([...groups, ...this.#queue], cause)
        continue
      }
      for (const { entry } of batch) {
        this.#recent.set(entry.id, entry.clock)
        this.#staged.delete(entry.id)
        this.#stagedBytes -= entry.bytes.length
      }
      this.#onCommitted(batch)
      for (const group of groups) group.resolve()
      this.#wake()
    }
    this.#writing = false
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#room
    this.#room = []
    for (const resolve of waiting) resolve()
  }

  #fail(all: readonly Group[], cause: unknown): void {
    this.generation++
    // The store keeps nothing of a rejected write, so the state goes back to what it was before.
    this.#queue = []
    this.#staged.clear()
    this.#stagedBytes = 0
    this.#tips = new Tips(this.#store.heads.values())
    this.#authors = new Map(this.#store.authors)
    for (const one of all) one.reject(cause)
    this.#wake()
  }
}

/** The error of an append whose parents were lost by a failed write. */
export function lostGround(): P2plError {
  return new P2plError({
    code: 'STORAGE',
    operation: 'view.append',
    retryable: true,
    message: 'a write that this entry built on failed: append it again'
  })
}
