import type { Block, PeerInfo } from '@p2pl/core/backend'
import { P2plError } from '@p2pl/core/backend'
import type { Cancel, Engine, Member, Outcome, Want } from './engine.ts'
import { backendName, failure } from './errors.ts'
import { peerInfo } from './key.ts'

/**
 * Joins the backends of one process. Whoever runs on it reaches everybody else at once: connections are kept, but
 * nothing depends on them. Give it to `memory({ network })`; its other methods are for the backends.
 */
export class MemoryNetwork implements Engine {
  readonly #members = new Map<string, Member>()
  readonly #cutOff = new Set<string>()
  /** By the key of the wanted block. */
  readonly #wants = new Map<string, Map<Want, Member>>()
  /** Ids of those who provide a multihash. */
  readonly #records = new Map<string, Set<string>>()
  /** By the id of the participant that asked for the connection: the ids it wants to stay connected to. */
  readonly #wanted = new Map<string, Set<string>>()
  #named = 0

  /** A readable id that nobody has: `memory-1`. */
  nextId(): string {
    return `memory-${++this.#named}`
  }

  /** Cuts a participant off, as a pulled cable does. Its calls that need others wait or find nobody. */
  interrupt(id: string): void {
    const member = this.#members.get(id)
    if (member === undefined || this.#cutOff.has(id)) return
    const neighbours = this.connections(member)
    this.#cutOff.add(id)
    this.#tellConnected('peer:disconnect', member, neighbours)
    const error = new P2plError({
      code: 'UNREACHABLE',
      backend: backendName,
      message: `"${id}" is cut off from its network`
    })
    member.event({ type: 'degraded', backend: backendName, error })
  }

  /** Ends {@link interrupt}: its subscriptions hear of the gap. */
  resume(id: string): void {
    const member = this.#members.get(id)
    if (!this.#cutOff.delete(id) || member === undefined) return
    member.event({ type: 'recovered', backend: backendName })
    this.#tellConnected('peer:connect', member, this.connections(member))
    member.missed()
    this.#retryWants()
  }

  join(member: Member): void {
    if (this.#members.has(member.id))
      throw failure(
        'LOCKED',
        'start',
        `another participant of this network runs as "${member.id}": give each an id of its own`
      )
    this.#members.set(member.id, member)
    for (const key of member.store.provided) this.#record(key, member.id)
    this.#tellConnected('peer:connect', member, this.connections(member))
    this.#retryWants()
  }

  leave(member: Member): void {
    const neighbours = this.connections(member)
    this.#members.delete(member.id)
    this.#cutOff.delete(member.id)
    this.#wanted.delete(member.id)
    for (const key of member.store.provided) this.unprovide(member, key)
    this.#tellConnected('peer:disconnect', member, neighbours)
  }

  topicChanged(): void {
    // Nothing to prepare: who is subscribed is looked up with every message.
  }

  publish(from: Member, topic: string, payload: Uint8Array): number {
    const receivers = this.#receivers(from, topic)
    // Not within the call of the publisher: an answer to a message must not nest in its delivery.
    if (receivers.length > 0)
      queueMicrotask(() => {
        for (const receiver of receivers) void receiver.receive(topic, { payload: payload.slice(), from: from.id })
      })
    return receivers.length
  }

  recipients(of: Member, topic: string): string[] {
    return this.#receivers(of, topic).map((member) => member.id)
  }

  want(by: Member, want: Want): Cancel {
    const wants = this.#wants.get(want.key) ?? new Map<Want, Member>()
    this.#wants.set(want.key, wants.set(want, by))
    this.#serve(by, want)
    return () => {
      wants.delete(want)
      if (wants.size === 0) this.#wants.delete(want.key)
    }
  }

  stored(_by: Member, _block: Block, key: string): void {
    for (const [want, by] of this.#wants.get(key) ?? []) this.#serve(by, want)
  }

  removed(): void {
    // Stores are looked at when somebody wants a block.
  }

  provide(by: Member, key: string, outcome: Outcome<void>): undefined {
    if (this.#others(by).length === 0)
      outcome.reject(
        failure('NO_PEERS', 'routing.provide', 'no other participant is there to take the provider record')
      )
    else {
      this.#record(key, by.id)
      outcome.resolve()
    }
  }

  unprovide(by: Member, key: string): void {
    const ids = this.#records.get(key)
    if (ids?.delete(by.id) === true && ids.size === 0) this.#records.delete(key)
  }

  findProviders(by: Member, key: string, limit: number, outcome: Outcome<readonly string[]>): undefined {
    const ids = [...(this.#records.get(key) ?? [])].filter((id) => this.#inReach(by, id) !== undefined)
    outcome.resolve(ids.slice(0, limit))
  }

  findPeer(by: Member, id: string, outcome: Outcome<PeerInfo>): undefined {
    if (id === by.id || this.#inReach(by, id) !== undefined) outcome.resolve(peerInfo(id))
    else outcome.reject(failure('NOT_FOUND', 'routing.findPeer', `nobody knows a participant "${id}"`))
  }

  connect(by: Member, id: string, outcome: Outcome<void>): undefined {
    const other = this.#inReach(by, id)
    if (other === undefined) {
      outcome.reject(failure('UNREACHABLE', 'routing.connect', `no participant answers at "memory:${id}"`))
      return
    }
    const known = this.connections(by).includes(id)
    const wanted = this.#wanted.get(by.id) ?? new Set()
    this.#wanted.set(by.id, wanted.add(id))
    if (!known) this.#tellConnected('peer:connect', by, [id])
    outcome.resolve()
  }

  disconnect(by: Member, id: string): void {
    const known = this.connections(by).includes(id)
    this.#wanted.get(by.id)?.delete(id)
    this.#wanted.get(id)?.delete(by.id)
    if (known) this.#tellConnected('peer:disconnect', by, [id])
  }

  connections(of: Member): string[] {
    const wanted = this.#wanted.get(of.id)
    return this.#others(of)
      .map((member) => member.id)
      .filter((id) => wanted?.has(id) === true || this.#wanted.get(id)?.has(of.id) === true)
  }

  #inReach(of: Member, id: string): Member | undefined {
    if (id === of.id || this.#cutOff.has(of.id) || this.#cutOff.has(id)) return undefined
    return this.#members.get(id)
  }

  #others(of: Member): Member[] {
    return [...this.#members.values()].filter((member) => this.#inReach(of, member.id) !== undefined)
  }

  #receivers(from: Member, topic: string): Member[] {
    return this.#others(from).filter((member) => member.subscribed(topic))
  }

  #retryWants(): void {
    for (const wants of this.#wants.values()) for (const [want, by] of wants) this.#serve(by, want)
  }

  #serve(by: Member, want: Want): void {
    const own = by.store.blocks.get(want.key)
    const block = own ?? this.#look(by, want)
    if (block === undefined) return
    if (own === undefined) {
      by.store.blocks.set(want.key, { cid: want.cid, bytes: block.bytes })
      // It may be what a third one waits for, who cannot reach the first.
      this.stored(by, block, want.key)
    }
    want.found(block.bytes)
  }

  #look(by: Member, want: Want): Block | undefined {
    const holder = [...want.hints.map((id) => this.#inReach(by, id)), ...this.#others(by)].find((member) => {
      const block = member?.store.blocks.get(want.key)
      return block !== undefined && block.bytes.byteLength <= want.maxBytes
    })
    return holder?.store.blocks.get(want.key)
  }

  #record(key: string, id: string): void {
    const ids = this.#records.get(key) ?? new Set()
    this.#records.set(key, ids.add(id))
  }

  #tellConnected(type: 'peer:connect' | 'peer:disconnect', member: Member, ids: readonly string[]): void {
    for (const id of ids) {
      member.event({ type, backend: backendName, id })
      this.#members.get(id)?.event({ type, backend: backendName, id: member.id })
    }
  }
}

/** A network of its own: backends on different networks do not see each other. */
export function createMemoryNetwork(): MemoryNetwork {
  return new MemoryNetwork()
}
