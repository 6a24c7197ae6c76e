import { P2plError } from '@p2pl/core/backend'
import type { Block, PeerInfo } from '@p2pl/core/backend'
import type { Cancel, Engine, Member, Outcome, Want } from '../engine.ts'
import { backendName, failure } from '../errors.ts'
import { peerInfo } from '../key.ts'
import { Exchange } from './exchange.ts'
import type { Medium, Node } from './medium.ts'
import type { SimulatorOptions } from './options.ts'
import { Topics } from './topics.ts'

/** The engine of simulated backends: the same promises as the plain network, but everything takes time and may fail. */
export class SimulatedNetwork implements Engine {
  readonly #medium: Medium
  readonly #topics: Topics
  readonly #exchange: Exchange
  readonly #nodes = new Map<string, Node>()
  /** Who has announced a multihash. Records of crashed hosts stay, as in a DHT. */
  readonly #records = new Map<string, Set<Node>>()
  /** By the node that asked for it: the connections it keeps. */
  readonly #wanted = new Map<Node, Set<Node>>()
  /** Those that stand, as `index/index`. */
  readonly #standing = new Map<string, readonly [Node, Node]>()

  constructor(medium: Medium, options: SimulatorOptions, onKept: (node: Node, key: string) => void) {
    this.#medium = medium
    this.#topics = new Topics(medium, options)
    this.#exchange = new Exchange(
      medium,
      options,
      { known: (of, key) => this.#known(of, key), node: (id) => this.#nodes.get(id) },
      onKept
    )
  }

  add(node: Node): void {
    this.#nodes.set(node.id, node)
  }

  /** Ways were opened or closed, or somebody came or went. */
  changed(): void {
    this.#reconnect()
    this.#exchange.changed()
    this.#topics.repair()
  }

  join(member: Member): void {
    const node = this.#node(member)
    if (node.member !== undefined)
      throw failure('LOCKED', 'start', `a process runs on the host "${node.id}" already: crash or stop it first`)
    node.member = member
    for (const key of member.store.provided) this.#record(key, node)
    this.#medium.note('boot', node)
    this.changed()
  }

  /** In good order: it says goodbye. */
  leave(member: Member): void {
    const node = this.#node(member)
    if (node.member !== member) return
    for (const key of member.store.provided) this.#unrecord(key, node)
    this.#medium.note('stop', node)
    this.#gone(node, member)
  }

  /** Without a word. */
  crash(node: Node): void {
    const { member } = node
    if (member === undefined) return
    this.#medium.note('crash', node)
    this.#gone(node, member)
  }

  /** A crash took a block out of the node's store. */
  lost(node: Node, key: string): void {
    this.#exchange.removed(node, key)
  }

  topicChanged(member: Member, topic: string): void {
    const node = this.#node(member)
    if (node.member === member) this.#topics.changed(node, topic)
  }

  publish(from: Member, topic: string, payload: Uint8Array): number {
    return this.#topics.publish(this.#node(from), topic, payload)
  }

  recipients(of: Member, topic: string): string[] {
    return this.#topics.recipients(this.#node(of), topic)
  }

  want(by: Member, want: Want): Cancel {
    return this.#exchange.want(this.#node(by), by, want)
  }

  stored(by: Member, _block: Block, key: string): void {
    this.#exchange.stored(this.#node(by), key)
  }

  removed(by: Member, key: string): void {
    this.#exchange.removed(this.#node(by), key)
  }

  provide(by: Member, key: string, outcome: Outcome<void>): Cancel {
    return this.#roundTrip(by, (node) => {
      if (this.#lonely(node))
        outcome.reject(
          failure('NO_PEERS', 'routing.provide', 'no other participant is in reach to take the provider record')
        )
      else {
        this.#record(key, node)
        this.#exchange.announced(key)
        outcome.resolve()
      }
    })
  }

  unprovide(by: Member, key: string): void {
    this.#unrecord(key, this.#node(by))
  }

  findProviders(by: Member, key: string, limit: number, outcome: Outcome<readonly string[]>): Cancel {
    return this.#roundTrip(by, (node) => {
      const providers = this.#lonely(node) ? [] : [...(this.#records.get(key) ?? [])].filter((other) => other !== node)
      outcome.resolve(providers.slice(0, limit).map((other) => other.id))
    })
  }

  findPeer(by: Member, id: string, outcome: Outcome<PeerInfo>): Cancel {
    return this.#roundTrip(by, (node) => {
      const other = this.#nodes.get(id)
      if (other === node || (other !== undefined && this.#linked(node, other))) outcome.resolve(peerInfo(id))
      else outcome.reject(failure('NOT_FOUND', 'routing.findPeer', `nobody in reach knows a participant "${id}"`))
    })
  }

  connect(by: Member, id: string, outcome: Outcome<void>): Cancel {
    return this.#roundTrip(by, (node) => {
      const other = this.#nodes.get(id)
      if (other === undefined || !this.#linked(node, other)) {
        outcome.reject(failure('UNREACHABLE', 'routing.connect', `no participant answers at "memory:${id}"`))
        return
      }
      const wanted = this.#wanted.get(node) ?? new Set()
      this.#wanted.set(node, wanted.add(other))
      this.#reconnect()
      this.#exchange.changed()
      outcome.resolve()
    })
  }

  disconnect(by: Member, id: string): void {
    const node = this.#node(by)
    const other = this.#nodes.get(id)
    if (other === undefined) return
    this.#wanted.get(node)?.delete(other)
    this.#wanted.get(other)?.delete(node)
    this.#reconnect()
  }

  connections(of: Member): string[] {
    return this.#neighbours(this.#node(of)).map((node) => node.id)
  }

  #node(member: Member): Node {
    const node = this.#nodes.get(member.id)
    if (node === undefined)
      throw new P2plError({ code: 'INVALID_ARGUMENT', message: `no host "${member.id}"`, backend: backendName })
    return node
  }

  #gone(node: Node, member: Member): void {
    node.member = undefined
    node.uplinkFree = 0
    this.#wanted.delete(node)
    this.#exchange.left(member)
    this.#topics.left(node)
    this.changed()
  }

  /** Both ways are open: what needs answers works. */
  #linked(a: Node, b: Node): boolean {
    return a !== b && this.#medium.open(a, b) && this.#medium.open(b, a)
  }

  #lonely(node: Node): boolean {
    for (const other of this.#nodes.values()) if (this.#linked(node, other)) return false
    return true
  }

  #neighbours(node: Node): Node[] {
    const neighbours: Node[] = []
    for (const [a, b] of this.#standing.values()) {
      if (a === node) neighbours.push(b)
      else if (b === node) neighbours.push(a)
    }
    return neighbours
  }

  #known(of: Node, key: string): Node[] {
    return [...this.#neighbours(of), ...(this.#records.get(key) ?? [])]
  }

  /** What asks others takes their time; it is repeated by the engine, so it is not lost. */
  #roundTrip(by: Member, run: (node: Node) => void): Cancel {
    const node = this.#node(by)
    const there = this.#medium.latency(node, node, this.#medium.way(node, node), 0)
    const back = this.#medium.latency(node, node, this.#medium.way(node, node), 0)
    const event = this.#medium.after(there + back, () => {
      if (node.member !== by) return false
      run(node)
      return true
    })
    return () => {
      this.#medium.queue.cancel(event)
    }
  }

  #record(key: string, node: Node): void {
    const nodes = this.#records.get(key) ?? new Set()
    this.#records.set(key, nodes.add(node))
  }

  #unrecord(key: string, node: Node): void {
    const nodes = this.#records.get(key)
    if (nodes?.delete(node) === true && nodes.size === 0) this.#records.delete(key)
  }

  /** Connections follow the ways: they break, and are made again, because somebody wants to keep them. */
  #reconnect(): void {
    const before = new Map(this.#standing)
    this.#standing.clear()
    for (const [a, others] of this.#wanted)
      for (const b of others) {
        const pair = a.index < b.index ? ([a, b] as const) : ([b, a] as const)
        const name = `${pair[0].index}/${pair[1].index}`
        if (!this.#linked(a, b) || this.#standing.has(name)) continue
        this.#standing.set(name, pair)
        if (!before.delete(name)) tell('peer:connect', pair)
      }
    for (const pair of before.values()) tell('peer:disconnect', pair)
  }
}

function tell(type: 'peer:connect' | 'peer:disconnect', [a, b]: readonly [Node, Node]): void {
  a.member?.event({ type, backend: backendName, id: b.id })
  b.member?.event({ type, backend: backendName, id: a.id })
}
