import type { Verdict } from '@p2pl/core/backend'
import type { SimulatorOptions } from '../options.ts'
import { contentHash } from '../trace.ts'
import { garbage } from './medium.ts'
import type { Medium } from './medium.ts'
import { Mesh } from './mesh.ts'
import { subscribed } from './node.ts'
import type { Node } from './node.ts'

const defaultHeartbeat = 1000

interface Topic {
  readonly name: string
  /** The subscribers. */
  readonly nodes: Node[]
  readonly mesh: Mesh | undefined
}

interface Flight {
  readonly topic: Topic
  readonly payload: Uint8Array
  readonly content: number
  readonly publisher: string
  /** Endpoints that had the message, by identity, because a rebooted host has forgotten it. */
  readonly seen: Set<unknown>
}

/** Carries messages: directly to every subscriber, or through a mesh of peers that pass on the messages they accept. */
export class Topics {
  readonly #medium: Medium
  readonly #topics = new Map<string, Topic>()
  readonly #degree: number | undefined
  readonly #heartbeat: number
  #repairing = false

  constructor(medium: Medium, { mesh }: SimulatorOptions) {
    this.#medium = medium
    this.#degree = mesh?.degree
    this.#heartbeat = mesh?.heartbeat ?? defaultHeartbeat
  }

  /** The node's first subscription of the topic began, or its last one ended. */
  changed(node: Node, name: string): void {
    const topic = this.#topic(name)
    const index = topic.nodes.indexOf(node)
    const joined = subscribed(node, name)
    if (joined === index >= 0) return
    if (joined) {
      topic.mesh?.add(node)
      topic.nodes.push(node)
    } else this.#remove(topic, node, index)
    this.repair()
  }

  left(node: Node): void {
    for (const topic of this.#topics.values()) this.#remove(topic, node, topic.nodes.indexOf(node))
    this.repair()
  }

  /** Adapts the mesh to the network, at the next heartbeat. */
  repair(): void {
    if (this.#degree === undefined || this.#repairing) return
    this.#repairing = true
    this.#medium.after(this.#heartbeat, () => {
      this.#repairing = false
      for (const { mesh } of this.#topics.values()) mesh?.rebuild()
      return false
    })
  }

  /** Sends to `only`, or to all nodes that the topic goes to. Returns the number of receivers. */
  publish(from: Node, name: string, payload: Uint8Array, only?: Iterable<Node>): number {
    const medium = this.#medium
    const topic = this.#topic(name)
    medium.counts.published++
    const bytes = medium.chance(from.lies.messages ?? 0) ? garbage(medium.random, payload) : payload
    const flight: Flight = {
      topic,
      payload: bytes,
      content: contentHash(bytes),
      publisher: from.id,
      seen: new Set([from.endpoint])
    }
    const receivers = this.#open(from, only ?? this.#targets(from, topic))
    for (const to of receivers) this.#send(flight, from, to)
    return receivers.length
  }

  recipients(of: Node, name: string): string[] {
    return this.#open(of, this.#targets(of, this.#topic(name))).map((node) => node.id)
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      const nodes: Node[] = []
      topic = {
        name,
        nodes,
        mesh: this.#degree === undefined ? undefined : new Mesh(this.#medium, this.#degree, nodes)
      }
      this.#topics.set(name, topic)
    }
    return topic
  }

  #targets(from: Node, topic: Topic): Iterable<Node> {
    return topic.mesh === undefined ? topic.nodes : topic.mesh.targets(from)
  }

  #open(from: Node, candidates: Iterable<Node>): Node[] {
    const receivers: Node[] = []
    for (const to of candidates) if (to !== from && this.#medium.open(from, to)) receivers.push(to)
    return receivers
  }

  #send(flight: Flight, from: Node, to: Node): void {
    const { payload, content } = flight
    this.#medium.send(from, to, 'message', payload.byteLength, content, () => this.#arrive(flight, from, to))
  }

  #arrive(flight: Flight, from: Node, to: Node): boolean {
    const { endpoint } = to
    if (endpoint === undefined) return false
    const meshed = flight.topic.mesh !== undefined
    if (meshed) {
      if (flight.seen.has(endpoint)) return false
      flight.seen.add(endpoint)
    }
    if (this.#medium.chance(this.#medium.way(from, to).duplicate))
      this.#medium.after(1 + this.#medium.random() * 100, () => {
        if (to.endpoint !== endpoint) return false
        void this.#deliver(flight, to)
        return true
      })
    const verdict = this.#deliver(flight, to)
    if (meshed) this.#passOn(flight, from, to, verdict)
    return true
  }

  #deliver({ topic: { name }, payload, publisher }: Flight, to: Node): Verdict | Promise<Verdict> {
    this.#medium.counts.delivered++
    to.traffic.delivered++
    // Each receiver gets its own copy, so one that changes its bytes does not change those of others.
    const copy = { payload: payload.slice(), from: publisher }
    if (to.listeners.size > 0) for (const listener of to.listeners.get(name) ?? []) listener(copy)
    return to.endpoint?.topics.get(name)?.message(copy) ?? 'ignore'
  }

  #passOn(flight: Flight, from: Node, by: Node, verdict: Verdict | Promise<Verdict>): void {
    const { endpoint } = by
    const relay = (final: Verdict): void => {
      if (final !== 'accept' || by.endpoint !== endpoint) return
      const lying = this.#medium.chance(by.lies.messages ?? 0)
      const passed = lying ? this.#forge(flight) : flight
      const before = by.traffic.sentBytes
      for (const to of this.#open(by, this.#targets(by, flight.topic))) if (to !== from) this.#send(passed, by, to)
      by.traffic.relayedBytes += by.traffic.sentBytes - before
    }
    if (typeof verdict === 'string') relay(verdict)
    else void verdict.then(relay)
  }

  /** A lying host passes on another message, which is new to every receiver. */
  #forge(flight: Flight): Flight {
    const payload = garbage(this.#medium.random, flight.payload)
    return { ...flight, payload, content: contentHash(payload), seen: new Set() }
  }

  #remove(topic: Topic, node: Node, index: number): void {
    if (index >= 0) topic.nodes.splice(index, 1)
    topic.mesh?.remove(node)
  }
}
