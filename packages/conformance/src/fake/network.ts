import type { Block, EngineEvent, Pin, Subscriber } from '@p2pl/core/backend'

/** What a fake keeps when it is stopped. It stands for a disk. */
export interface FakeStore {
  readonly id: string
  /** By multihash. */
  readonly blocks: Map<string, Block>
  readonly pins: Map<string, Pin>
  readonly secrets: Map<string, Uint8Array>
}

let stores = 0

export function createFakeStore(): FakeStore {
  return { id: `fake-${++stores}`, blocks: new Map(), pins: new Map(), secrets: new Map() }
}

/** A running fake, as its network sees it. */
export interface FakeEngine {
  readonly id: string
  readonly store: FakeStore
  /** The topics that it has joined. */
  readonly topics: Map<string, Required<Subscriber>>
  /** Whether it reports gaps to its subscribers. */
  readonly tellsGaps: boolean
  readonly report: (event: EngineEvent) => void
}

/** The bus in this process: which fakes run, which are connected, and which provide what. */
export class FakeNetwork {
  readonly engines: Map<string, FakeEngine> = new Map<string, FakeEngine>()
  /** The ids of the peers that provide each multihash. */
  readonly records: Map<string, Set<string>> = new Map<string, Set<string>>()
  /** Ids whose next start fails. */
  readonly obstructed: Set<string> = new Set<string>()
  readonly #cut = new Set<string>()
  readonly #links = new Set<string>()
  readonly #watchers = new Set<() => void>()

  add(engine: FakeEngine): void {
    this.engines.set(engine.id, engine)
  }

  remove(id: string): void {
    for (const other of this.connected(id)) this.disconnect(id, other.id)
    this.engines.delete(id)
    for (const record of this.records.values()) record.delete(id)
  }

  /** Connects the two. Returns false if one of them is away. */
  connect(a: string, b: string): boolean {
    const there = [a, b].every((id) => this.engines.has(id) && !this.isCut(id))
    if (!there || a === b) return false
    if (this.#links.has(pair(a, b))) return true
    this.#links.add(pair(a, b))
    this.#tell('peer:connect', a, b)
    this.changed()
    return true
  }

  disconnect(a: string, b: string): void {
    if (this.#links.delete(pair(a, b))) this.#tell('peer:disconnect', a, b)
  }

  connected(id: string): FakeEngine[] {
    return [...this.engines.values()].filter((other) => this.#links.has(pair(id, other.id)))
  }

  /** Cuts one fake off until the returned function is called. Its subscribers hear of the cut and of its end. */
  cut(id: string): () => void {
    const before = this.connected(id)
    for (const other of before) this.disconnect(id, other.id)
    this.#cut.add(id)
    const since = performance.now()
    this.#tellSubscribers(id, (subscriber) => subscriber.state('healing'))
    return () => {
      this.#cut.delete(id)
      this.#tellSubscribers(id, (subscriber) => {
        subscriber.gap({ reason: 'disconnected', lasted: performance.now() - since })
        subscriber.state('live')
      })
      for (const other of before) this.connect(id, other.id)
    }
  }

  isCut(id: string): boolean {
    return this.#cut.has(id)
  }

  /** Calls the listener whenever a block or a connection has been added. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #tell(type: 'peer:connect' | 'peer:disconnect', a: string, b: string): void {
    this.engines.get(a)?.report({ type, id: b })
    this.engines.get(b)?.report({ type, id: a })
  }

  #tellSubscribers(id: string, tell: (subscriber: Required<Subscriber>) => void): void {
    const engine = this.engines.get(id)
    if (engine?.tellsGaps === true) for (const subscriber of engine.topics.values()) tell(subscriber)
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
