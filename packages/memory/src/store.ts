import type { Block, Pin } from '@p2pl/core/backend'

export interface PinRecord extends Pin {
  /** Keys of everything that the pin protects. */
  readonly keys: ReadonlySet<string>
}

/**
 * Blocks, pins and provided keys of one participant. Given to `memory({ store })` it outlives `stop`, and the next
 * backend that gets it goes on where the last one stopped. It serves one running backend at a time.
 */
export interface MemoryStore {
  /** By multihash. */
  readonly blocks: Map<string, Block>
  /** By codec and multihash. */
  readonly pins: Map<string, PinRecord>
  /** Multihashes with a provider record that is kept alive. */
  readonly provided: Set<string>
  /** How many pins, finished or under way, protect a multihash. */
  readonly holds: Map<string, number>
  /** How often the holds were counted anew. */
  generation: number
  /** Id of the running backend that uses it. */
  user: string | undefined
}

export function createMemoryStore(): MemoryStore {
  return { blocks: new Map(), pins: new Map(), provided: new Set(), holds: new Map(), generation: 0, user: undefined }
}

export function hold(store: MemoryStore, key: string): void {
  store.holds.set(key, (store.holds.get(key) ?? 0) + 1)
}

export function release(store: MemoryStore, key: string): void {
  const count = store.holds.get(key) ?? 0
  if (count > 1) store.holds.set(key, count - 1)
  else store.holds.delete(key)
}

/** Counts the holds anew: a pin that was under way when the last user of the store vanished holds nothing. */
export function recountHolds(store: MemoryStore): void {
  store.generation++
  store.holds.clear()
  for (const pin of store.pins.values()) for (const key of pin.keys) hold(store, key)
}
