import { describe, invalidArgument, P2plError, systemClock } from '@p2pl/core/backend'
import type { EngineEvent, Subscriber } from '@p2pl/core/backend'
import { verifyBlock } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { blockKey } from './key.ts'
import { Searches } from './searches.ts'
import type { MemoryStore } from './store.ts'

/** Maximum number of messages that are delivered in one turn of the event loop. */
const deliveriesPerTurn = 256

/** A running backend, as its network sees it. */
export interface Endpoint {
  readonly id: string
  readonly store: MemoryStore
  /** The topics that it has joined. */
  readonly topics: Map<string, Required<Subscriber>>
  readonly report: (event: EngineEvent) => void
}

/** A block that an endpoint is looking for. */
export interface Want {
  readonly by: Endpoint
  readonly cid: CID
  /** Ask other peers, as if the local store were empty. */
  readonly remote: boolean
  /** Ids of peers that are asked first. */
  readonly hints: readonly string[]
  readonly maxBytes: number
  readonly signal: AbortSignal
}

interface Delivery {
  readonly from: string
  readonly to: Endpoint
  readonly topic: string
  readonly payload: Uint8Array
}

/**
 * Joins the backends of one process: each peer on it reaches every other peer at once. Pass it to `memory({ network })`.
 * Apart from `interrupt` and `resume`, its methods are for the backends.
 */
export class MemoryNetwork {
  /** For `PeerInfo.network`. */
  readonly name: string
  readonly #endpoints = new Map<string, Endpoint>()
  /** Ids of the peers that are cut off, with the time when that began. */
  readonly #cutOff = new Map<string, number>()
  readonly #searches = new Searches()
  /** Ids of the peers that provide each multihash. */
  readonly #records = new Map<string, Set<string>>()
  /** Direct connections, in both directions. */
  readonly #connections = new Map<string, Set<string>>()
  #deliveries: Delivery[] = []
  #named = 0

  constructor(name = 'memory') {
    this.name = name
  }

  /** A readable id that no other peer has: `memory-1`. */
  nextId(): string {
    return `memory-${++this.#named}`
  }

  /**
   * Cuts a peer off, like a pulled cable. Its connections end, and its calls that need other peers wait or fail. Throws
   * `INVALID_ARGUMENT` for a peer that does not run on the network.
   */
  interrupt(id: string): void {
    const endpoint = this.#endpoints.get(id)
    if (endpoint === undefined) {
      const fix = 'give the engine-level id of one that does, such as peer.network.self()[0].id'
      throw invalidArgument('interrupt', `interrupt: no peer runs as ${describe(id)} on "${this.name}": ${fix}`)
    }
    if (this.#cutOff.has(id)) return
    this.#cutOff.set(id, systemClock.now())
    for (const other of this.connections(id)) this.disconnect(id, other)
    const message = `"${id}" is cut off from its network`
    endpoint.report({ type: 'degraded', error: new P2plError({ code: 'UNREACHABLE', message }) })
    for (const subscriber of endpoint.topics.values()) subscriber.state('healing')
  }

  /** Ends {@link interrupt}. The topics of the peer report the gap. */
  resume(id: string): void {
    const endpoint = this.#endpoints.get(id)
    const since = this.#cutOff.get(id)
    if (endpoint === undefined || since === undefined) return
    this.#cutOff.delete(id)
    endpoint.report({ type: 'recovered' })
    for (const subscriber of endpoint.topics.values()) {
      subscriber.gap({ reason: 'disconnected', lasted: systemClock.now() - since })
      subscriber.state('live')
    }
    this.#searches.wakeAll()
  }

  join(endpoint: Endpoint): void {
    const { id } = endpoint
    if (this.#endpoints.has(id)) {
      const message = `another peer of this network runs as "${id}": give each peer an id of its own`
      throw new P2plError({ code: 'LOCKED', message })
    }
    this.#endpoints.set(id, endpoint)
    this.#searches.wakeAll()
  }

  leave(endpoint: Endpoint): void {
    const { id } = endpoint
    for (const other of this.connections(id)) this.disconnect(id, other)
    this.#endpoints.delete(id)
    this.#cutOff.delete(id)
    for (const key of this.#records.keys()) this.#forget(key, id)
  }

  reaches(from: string, to: string): boolean {
    return from !== to && this.#endpoints.has(to) && !this.#cutOff.has(from) && !this.#cutOff.has(to)
  }

  /** Ids of the peers that would get a publish now. */
  recipients(of: string, topic: string): string[] {
    return this.#others(of).flatMap(({ id, topics }) => (topics.has(topic) ? [id] : []))
  }

  /** Each receiver gets its own copy of the bytes, in a later turn: an answer to a message must not nest in its delivery. */
  publish(from: string, topic: string, payload: Uint8Array): number {
    const receivers = this.#others(from).filter(({ topics }) => topics.has(topic))
    if (receivers.length > 0 && this.#deliveries.length === 0) systemClock.nextTurn(() => this.#deliver())
    for (const to of receivers) this.#deliveries.push({ from, to, topic, payload: payload.slice() })
    return receivers.length
  }

  /** Looks for a block until a reachable peer has it, and keeps it. */
  find(want: Want): Promise<Uint8Array> {
    return this.#searches.find(want.cid, want.signal, () => this.#look(want))
  }

  /** Number of blocks that are being looked for. */
  get searching(): number {
    return this.#searches.size
  }

  /** Called when a store has received the block. */
  stored(cid: CID): void {
    this.#searches.wake(cid)
  }

  provide(id: string, cid: CID): void {
    if (this.#others(id).length === 0)
      throw new P2plError({ code: 'NO_PEERS', message: 'no other peer is there to take the provider record' })
    const key = blockKey(cid)
    this.#records.set(key, (this.#records.get(key) ?? new Set()).add(id))
  }

  unprovide(id: string, cid: CID): void {
    this.#forget(blockKey(cid), id)
  }

  providers(of: string, cid: CID): string[] {
    return [...(this.#records.get(blockKey(cid)) ?? [])].filter((id) => this.reaches(of, id))
  }

  connect(from: string, to: string): void {
    if (!this.reaches(from, to))
      throw new P2plError({ code: 'UNREACHABLE', message: `no peer answers at "memory:${to}"` })
    if (this.#connections.get(from)?.has(to) === true) return
    for (const [a, b] of [
      [from, to],
      [to, from]
    ] as const) {
      this.#connections.set(a, (this.#connections.get(a) ?? new Set()).add(b))
      this.#endpoints.get(a)?.report({ type: 'peer:connect', id: b })
    }
  }

  disconnect(from: string, to: string): void {
    if (this.#connections.get(from)?.delete(to) !== true) return
    this.#connections.get(to)?.delete(from)
    this.#endpoints.get(from)?.report({ type: 'peer:disconnect', id: to })
    this.#endpoints.get(to)?.report({ type: 'peer:disconnect', id: from })
  }

  connections(of: string): string[] {
    return [...(this.#connections.get(of) ?? [])]
  }

  #others(of: string): Endpoint[] {
    return [...this.#endpoints.values()].filter(({ id }) => this.reaches(of, id))
  }

  #deliver(): void {
    const now = this.#deliveries.splice(0, deliveriesPerTurn)
    if (this.#deliveries.length > 0) systemClock.nextTurn(() => this.#deliver())
    for (const { from, to, topic, payload } of now)
      if (this.#endpoints.get(to.id) === to && !this.#cutOff.has(to.id))
        void to.topics.get(topic)?.message({ payload, from })
  }

  /** Wrong bytes from a peer are skipped. */
  async #look({ by, cid, remote, hints, maxBytes }: Want): Promise<Uint8Array | undefined> {
    const own = remote ? undefined : by.store.get(cid)
    if (own !== undefined) return own
    const hinted = hints.filter((id) => this.reaches(by.id, id)).map((id) => this.#endpoints.get(id))
    for (const source of new Set([...hinted, ...this.#others(by.id)])) {
      const bytes = source?.store.get(cid)
      if (bytes === undefined || bytes.byteLength > maxBytes || !(await isBlock(cid, bytes))) continue
      by.store.put({ cid, bytes })
      this.stored(cid)
      return bytes
    }
    return undefined
  }

  #forget(key: string, id: string): void {
    const ids = this.#records.get(key)
    if (ids?.delete(id) === true && ids.size === 0) this.#records.delete(key)
  }
}

async function isBlock(cid: CID, bytes: Uint8Array): Promise<boolean> {
  return await verifyBlock(cid, bytes, 'blocks.get', 'memory').then(
    () => true,
    () => false
  )
}

/** A separate network: backends on different networks do not see each other. `name` distinguishes them in `PeerInfo`. */
export function createMemoryNetwork(name?: string): MemoryNetwork {
  return new MemoryNetwork(name)
}
