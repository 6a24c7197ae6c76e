import type { Verdict } from '@p2pl/core/backend'
import { garbage } from './medium.ts'
import type { Medium, Node } from './medium.ts'
import type { SimulatorOptions } from './options.ts'
import { randomInteger, shuffle } from './random.ts'
import { contentHash } from './trace.ts'

const defaultHeartbeat = 1000

interface Topic {
  readonly name: string
  /** Those who are subscribed. */
  readonly nodes: Node[]
  /** Neighbours in the mesh, both ways. Without a mesh: unused. */
  readonly links: Map<Node, Set<Node>>
  /** Whom a node that is not subscribed publishes to. */
  readonly fanout: Map<Node, Node[]>
}

interface Flight {
  readonly topic: Topic
  readonly payload: Uint8Array
  readonly content: number
  readonly publisher: string
  /** Members that had it, by identity: a rebooted host has forgotten. */
  readonly seen: Set<unknown>
}

/** Carries messages: straight to every subscriber, or through a mesh in which each one passes on what it accepts. */
export class Topics {
  readonly #medium: Medium
  readonly #topics = new Map<string, Topic>()
  readonly #degree: number
  readonly #heartbeat: number
  #repairing = false

  constructor(medium: Medium, { mesh }: SimulatorOptions) {
    this.#medium = medium
    this.#degree = mesh?.degree ?? Infinity
    this.#heartbeat = mesh?.heartbeat ?? defaultHeartbeat
  }

  /** The node's first subscription of the topic began, or its last one ended. */
  changed(node: Node, name: string): void {
    const topic = this.#topic(name)
    const index = topic.nodes.indexOf(node)
    const subscribed = node.member?.subscribed(name) === true
    if (subscribed === index >= 0) return
    if (subscribed) {
      topic.fanout.delete(node)
      if (this.#meshed) this.#graft(topic, node, this.#degree)
      topic.nodes.push(node)
    } else this.#remove(topic, node, index)
    this.repair()
  }

  left(node: Node): void {
    for (const topic of this.#topics.values()) {
      const index = topic.nodes.indexOf(node)
      if (index >= 0) this.#remove(topic, node, index)
      topic.fanout.delete(node)
    }
    this.repair()
  }

  /** Makes the mesh fit the network again, at the next heartbeat. */
  repair(): void {
    if (!this.#meshed || this.#repairing) return
    this.#repairing = true
    this.#medium.after(this.#heartbeat, () => {
      this.#repairing = false
      for (const topic of this.#topics.values()) this.#rebuild(topic)
      return false
    })
  }

  publish(from: Node, name: string, payload: Uint8Array): number {
    const medium = this.#medium
    const topic = this.#topic(name)
    medium.counts.published++
    const bytes = medium.chance(from.lies.messages ?? 0) ? garbage(medium.random, payload) : payload
    const flight: Flight = {
      topic,
      payload: bytes,
      content: contentHash(bytes),
      publisher: from.id,
      seen: new Set([from.member])
    }
    const receivers = this.#receivers(from, topic)
    for (const to of receivers) this.#send(flight, from, to)
    return receivers.length
  }

  recipients(of: Node, name: string): string[] {
    return this.#receivers(of, this.#topic(name)).map((node) => node.id)
  }

  get #meshed(): boolean {
    return this.#degree !== Infinity
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { name, nodes: [], links: new Map(), fanout: new Map() }
      this.#topics.set(name, topic)
    }
    return topic
  }

  #receivers(from: Node, topic: Topic): Node[] {
    const candidates = this.#meshed ? (topic.links.get(from) ?? this.#fanout(from, topic)) : topic.nodes
    const receivers: Node[] = []
    for (const to of candidates) if (to !== from && this.#medium.open(from, to)) receivers.push(to)
    return receivers
  }

  #fanout(from: Node, topic: Topic): readonly Node[] {
    const known = topic.fanout.get(from)
    if (known !== undefined && known.length > 0) return known
    const chosen = [...this.#choose(topic, from, this.#degree)]
    topic.fanout.set(from, chosen)
    return chosen
  }

  #send(flight: Flight, from: Node, to: Node): void {
    const medium = this.#medium
    const { payload, content } = flight
    medium.send(from, to, 'message', payload.byteLength, content, () => this.#arrive(flight, from, to))
  }

  #arrive(flight: Flight, from: Node, to: Node): boolean {
    const { member } = to
    if (member === undefined) return false
    if (this.#meshed) {
      if (flight.seen.has(member)) return false
      flight.seen.add(member)
    }
    if (this.#medium.chance(this.#medium.way(from, to).duplicate))
      this.#medium.after(1 + this.#medium.random() * 100, () => {
        if (to.member !== member) return false
        void this.#deliver(flight, to)
        return true
      })
    const verdict = this.#deliver(flight, to)
    if (this.#meshed) this.#passOn(flight, from, to, verdict)
    return true
  }

  #deliver(flight: Flight, to: Node): Verdict | Promise<Verdict> {
    this.#medium.counts.delivered++
    // A copy for each: what one receiver does to its bytes is nobody else's business.
    const message = { payload: flight.payload.slice(), from: flight.publisher }
    return to.member?.receive(flight.topic.name, message) ?? 'ignore'
  }

  #passOn(flight: Flight, from: Node, by: Node, verdict: Verdict | Promise<Verdict>): void {
    const { member } = by
    const relay = (final: Verdict): void => {
      if (final !== 'accept' || by.member !== member) return
      const lying = this.#medium.chance(by.lies.messages ?? 0)
      const passed = lying ? this.#forge(flight) : flight
      for (const to of this.#receivers(by, flight.topic)) if (to !== from) this.#send(passed, by, to)
    }
    if (typeof verdict === 'string') relay(verdict)
    else void verdict.then(relay)
  }

  /** What a lying host passes on is another message to everybody else. */
  #forge(flight: Flight): Flight {
    const payload = garbage(this.#medium.random, flight.payload)
    return { ...flight, payload, content: contentHash(payload), seen: new Set() }
  }

  #remove(topic: Topic, node: Node, index: number): void {
    topic.nodes.splice(index, 1)
    for (const neighbour of topic.links.get(node) ?? []) topic.links.get(neighbour)?.delete(node)
    topic.links.delete(node)
  }

  #graft(topic: Topic, node: Node, count: number): void {
    if (!topic.links.has(node)) topic.links.set(node, new Set())
    for (const other of this.#choose(topic, node, count)) {
      topic.links.get(node)?.add(other)
      topic.links.get(other)?.add(node)
    }
  }

  /**
   * Every node chooses half of its neighbours and is chosen by others for the rest: with three and more choices each, such
   * a graph is connected for all practical purposes.
   */
  #rebuild(topic: Topic): void {
    topic.links.clear()
    topic.fanout.clear()
    for (const node of topic.nodes) topic.links.set(node, new Set())
    for (const node of topic.nodes) this.#graft(topic, node, Math.ceil(this.#degree / 2))
  }

  /** Subscribed nodes in reach, both ways. */
  #choose(topic: Topic, node: Node, count: number): Set<Node> {
    const chosen = new Set<Node>()
    const { nodes } = topic
    const fits = (other: Node): boolean =>
      other !== node && this.#medium.open(node, other) && this.#medium.open(other, node)
    if (nodes.length <= count * 4) {
      // So few that each one is looked at.
      for (const other of shuffle(this.#medium.random, [...nodes])) {
        if (chosen.size >= count) break
        if (fits(other)) chosen.add(other)
      }
      return chosen
    }
    for (let tries = 0; tries < count * 16 && chosen.size < count; tries++) {
      const other = nodes[randomInteger(this.#medium.random, nodes.length)] as Node
      if (fits(other)) chosen.add(other)
    }
    return chosen
  }
}
