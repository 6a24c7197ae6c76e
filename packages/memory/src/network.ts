import { P2plError } from '@p2pl/core/backend'
import type { BackendEvent, IncomingMessage, Verdict } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { backendName, failure } from './errors.ts'
import { blockKey } from './key.ts'
import type { MemoryStore } from './store.ts'

/** A running backend, as its network sees it. */
export interface Endpoint {
  readonly id: string
  readonly store: MemoryStore
  /** Topics with at least one subscription. */
  subscribed(topic: string): boolean
  receive(topic: string, message: IncomingMessage): Verdict | Promise<Verdict>
  /** The endpoint was cut off and is back: messages may be missing on every topic. */
  missed(): void
  event(event: BackendEvent): void
}

/** A block that an endpoint waits for. */
export interface Want {
  readonly by: Endpoint
  readonly cid: CID
  /** Ids of peers that are asked first. */
  readonly hints: readonly string[]
  readonly maxBytes: number
  found(bytes: Uint8Array): void
}

/**
 * Joins the backends of one process: each peer on it reaches each other peer at once. Connections are kept, but nothing
 * depends on them. Give it to `memory({ network })`; its methods beside `interrupt` and `resume` are for the backends.
 */
export class MemoryNetwork {
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #cutOff = new Set<string>()
  /** By the key of the wanted block. */
  readonly #wants = new Map<string, Set<Want>>()
  /** Ids of the peers that provide a multihash. */
  readonly #records = new Map<string, Set<string>>()
  /** By the id of the peer that asked for the connection: the ids that it stays connected to. */
  readonly #wanted = new Map<string, Set<string>>()
  #named = 0

  /** A readable id that no other peer has: `memory-1`. */
  nextId(): string {
    return `memory-${++this.#named}`
  }

  /** Cuts a peer off, as a pulled cable does. Its calls that need others wait or find nobody. */
  interrupt(id: string): void {
    const endpoint = this.#endpoints.get(id)
    if (endpoint === undefined || this.#cutOff.has(id)) return
    const connected = this.connections(id)
    this.#cutOff.add(id)
    this.#tell('peer:disconnect', id, connected)
    const message = `"${id}" is cut off from its network`
    endpoint.event({
      type: 'degraded',
      backend: backendName,
      error: new P2plError({ code: 'UNREACHABLE', backend: backendName, message })
    })
  }

  /** Ends {@link interrupt}. The peer's subscriptions are told of the gap. */
  resume(id: string): void {
    const endpoint = this.#endpoints.get(id)
    if (!this.#cutOff.delete(id) || endpoint === undefined) return
    endpoint.event({ type: 'recovered', backend: backendName })
    this.#tell('peer:connect', id, this.connections(id))
    endpoint.missed()
    this.#serveAll()
  }

  join(endpoint: Endpoint): void {
    const { id } = endpoint
    if (this.#endpoints.has(id))
      throw failure('LOCKED', 'start', `another peer of this network runs as "${id}": give each peer an id of its own`)
    this.#endpoints.set(id, endpoint)
    for (const key of endpoint.store.provided) this.#record(key, id)
    this.#tell('peer:connect', id, this.connections(id))
    this.#serveAll()
  }

  leave(endpoint: Endpoint): void {
    const { id } = endpoint
    const connected = this.connections(id)
    this.#endpoints.delete(id)
    this.#cutOff.delete(id)
    this.#wanted.delete(id)
    for (const key of endpoint.store.provided) this.#forget(key, id)
    this.#tell('peer:disconnect', id, connected)
  }

  /** To how many. The payload belongs to the network. */
  publish(from: string, topic: string, payload: Uint8Array): number {
    const receivers = this.#subscribers(from, topic)
    // Not within the call of the publisher: an answer to a message must not nest in its delivery.
    if (receivers.length > 0)
      queueMicrotask(() => {
        for (const receiver of receivers) void receiver.receive(topic, { payload: payload.slice(), from })
      })
    return receivers.length
  }

  /** Ids of the peers that would get a publish now. */
  recipients(of: string, topic: string): string[] {
    return this.#subscribers(of, topic).map(({ id }) => id)
  }

  /** Looks for a block until it is found or the returned function takes the want back. */
  want(want: Want): () => void {
    const key = blockKey(want.cid)
    const wants = this.#wants.get(key) ?? new Set()
    this.#wants.set(key, wants.add(want))
    this.#serve(want)
    return () => {
      if (wants.delete(want) && wants.size === 0) this.#wants.delete(key)
    }
  }

  /** A store has got the block. */
  stored(cid: CID): void {
    for (const want of this.#wants.get(blockKey(cid)) ?? []) this.#serve(want)
  }

  provide(endpoint: Endpoint, cid: CID): void {
    if (this.#others(endpoint.id).length === 0)
      throw failure('NO_PEERS', 'routing.provide', 'no other peer is there to take the provider record')
    endpoint.store.provided.add(blockKey(cid))
    this.#record(blockKey(cid), endpoint.id)
  }

  unprovide(endpoint: Endpoint, cid: CID): void {
    endpoint.store.provided.delete(blockKey(cid))
    this.#forget(blockKey(cid), endpoint.id)
  }

  providers(of: string, cid: CID): string[] {
    return [...(this.#records.get(blockKey(cid)) ?? [])].filter((id) => this.reaches(of, id))
  }

  connect(by: string, id: string): void {
    if (!this.reaches(by, id)) throw failure('UNREACHABLE', 'routing.connect', `no peer answers at "memory:${id}"`)
    const known = this.connections(by).includes(id)
    this.#wanted.set(by, (this.#wanted.get(by) ?? new Set()).add(id))
    if (!known) this.#tell('peer:connect', by, [id])
  }

  disconnect(by: string, id: string): void {
    const known = this.connections(by).includes(id)
    this.#wanted.get(by)?.delete(id)
    this.#wanted.get(id)?.delete(by)
    if (known) this.#tell('peer:disconnect', by, [id])
  }

  connections(of: string): string[] {
    const wanted = this.#wanted.get(of)
    return this.#others(of)
      .map(({ id }) => id)
      .filter((id) => wanted?.has(id) === true || this.#wanted.get(id)?.has(of) === true)
  }

  reaches(from: string, to: string): boolean {
    return from !== to && this.#endpoints.has(to) && !this.#cutOff.has(from) && !this.#cutOff.has(to)
  }

  #others(of: string): Endpoint[] {
    return [...this.#endpoints.values()].filter(({ id }) => this.reaches(of, id))
  }

  #subscribers(from: string, topic: string): Endpoint[] {
    return this.#others(from).filter((endpoint) => endpoint.subscribed(topic))
  }

  #serveAll(): void {
    for (const wants of this.#wants.values()) for (const want of wants) this.#serve(want)
  }

  #serve(want: Want): void {
    const { by, cid } = want
    const own = by.store.get(cid)
    const bytes = own ?? this.#find(want)
    if (bytes === undefined) return
    if (own === undefined) {
      by.store.put({ cid, bytes })
      // A third peer that cannot reach the first may wait for it.
      this.stored(cid)
    }
    want.found(bytes)
  }

  #find({ by, cid, hints, maxBytes }: Want): Uint8Array | undefined {
    const hinted = hints.filter((id) => this.reaches(by.id, id)).map((id) => this.#endpoints.get(id))
    for (const endpoint of [...hinted, ...this.#others(by.id)]) {
      const bytes = endpoint?.store.get(cid)
      if (bytes !== undefined && bytes.byteLength <= maxBytes) return bytes
    }
    return undefined
  }

  #record(key: string, id: string): void {
    this.#records.set(key, (this.#records.get(key) ?? new Set()).add(id))
  }

  #forget(key: string, id: string): void {
    const ids = this.#records.get(key)
    if (ids?.delete(id) === true && ids.size === 0) this.#records.delete(key)
  }

  #tell(type: 'peer:connect' | 'peer:disconnect', id: string, others: readonly string[]): void {
    for (const other of others) {
      this.#endpoints.get(id)?.event({ type, backend: backendName, id: other })
      this.#endpoints.get(other)?.event({ type, backend: backendName, id })
    }
  }
}

/** A network of its own: backends on different networks do not see each other. */
export function createMemoryNetwork(): MemoryNetwork {
  return new MemoryNetwork()
}
