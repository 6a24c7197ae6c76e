import type { Block, Pin } from '@p2pl/core/backend'
import type { FakeNode } from './node.ts'

/** What a fake keeps when it is stopped: it stands for a disk. */
export interface FakeStore {
  readonly id: string
  /** By the hex of the multihash. */
  readonly blocks: Map<string, Block>
  readonly pins: Map<string, Pin>
}

let stores = 0

export function createFakeStore(): FakeStore {
  return { id: `fake-${++stores}`, blocks: new Map(), pins: new Map() }
}

/** The in-process bus: who runs, who is connected with whom, who provides what. */
export class FakeNetwork {
  readonly nodes: Map<string, FakeNode> = new Map<string, FakeNode>()
  readonly records: Map<string, Set<string>> = new Map<string, Set<string>>()
  /** Ids whose next start fails. */
  readonly obstructed: Set<string> = new Set<string>()
  readonly #links = new Set<string>()
  readonly #cut = new Set<string>()
  readonly #watchers = new Set<() => void>()

  connect(a: string, b: string): void {
    if (a === b || this.#links.has(pair(a, b)) || this.isCut(a) || this.isCut(b)) return
    this.#links.add(pair(a, b))
    this.nodes.get(a)?.report({ type: 'peer:connect', backend: 'fake', id: b })
    this.nodes.get(b)?.report({ type: 'peer:connect', backend: 'fake', id: a })
    this.changed()
  }

  disconnect(a: string, b: string): void {
    if (!this.#links.delete(pair(a, b))) return
    this.nodes.get(a)?.report({ type: 'peer:disconnect', backend: 'fake', id: b })
    this.nodes.get(b)?.report({ type: 'peer:disconnect', backend: 'fake', id: a })
  }

  linkAll(): void {
    const ids = [...this.nodes.keys()]
    for (const a of ids) for (const b of ids) this.connect(a, b)
  }

  neighbours(id: string): FakeNode[] {
    return [...this.nodes.values()].filter((node) => node.store.id !== id && this.#links.has(pair(id, node.store.id)))
  }

  /** Cuts one off until the returned function is called. Then its subscribers hear of the gap. */
  cut(id: string): () => void {
    const before = this.neighbours(id)
    for (const { store } of before) this.disconnect(id, store.id)
    this.#cut.add(id)
    return () => {
      this.#cut.delete(id)
      for (const subscriptions of this.nodes.get(id)?.run?.topics.values() ?? [])
        for (const subscription of subscriptions) subscription.gap()
      for (const { store } of before) this.connect(id, store.id)
    }
  }

  isCut(id: string): boolean {
    return this.#cut.has(id)
  }

  remove(id: string): void {
    for (const { store } of this.neighbours(id)) this.disconnect(id, store.id)
    this.nodes.delete(id)
    for (const record of this.records.values()) record.delete(id)
  }

  /** Calls the listener whenever a block or a connection has come. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
