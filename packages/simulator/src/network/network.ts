import { blockKey } from '@p2pl/memory'
import type { PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { peerInfo } from '../address.ts'
import { failure } from '../errors.ts'
import type { SimulatorOptions } from '../options.ts'
import { Connections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'
import { Exchange } from './exchange.ts'
import type { Medium } from './medium.ts'
import type { Node } from './node.ts'
import { Records } from './records.ts'
import { Topics } from './topics.ts'

/** The engine of simulated backends. Everything takes time and may fail. */
export class SimulatedNetwork {
  readonly topics: Topics
  readonly exchange: Exchange
  readonly records: Records = new Records()
  readonly #medium: Medium
  readonly #nodes = new Map<string, Node>()
  readonly #connections = new Connections()

  constructor(medium: Medium, options: SimulatorOptions, onKept: (node: Node, cid: CID) => void) {
    this.#medium = medium
    this.topics = new Topics(medium, options)
    this.exchange = new Exchange(
      medium,
      options,
      {
        known: (of, cid) => [...this.#connections.of(of), ...this.records.of(blockKey(cid))],
        node: (id) => this.#nodes.get(id)
      },
      onKept
    )
  }

  add(node: Node): void {
    this.#nodes.set(node.id, node)
  }

  node(id: string): Node {
    const node = this.#nodes.get(id)
    if (node === undefined) throw failure('INVALID_ARGUMENT', 'host', `there is no host "${id}"`)
    return node
  }

  /** Ways were opened or closed, or a host came or went. */
  changed(): void {
    this.#connections.update((a, b) => this.#linked(a, b))
    this.exchange.changed()
    this.topics.repair()
  }

  join(endpoint: Endpoint): void {
    const node = this.node(endpoint.id)
    if (node.endpoint !== undefined && node.endpoint !== node.resident)
      throw failure('LOCKED', 'start', `a process runs on the host "${node.id}" already: crash or stop it first`)
    node.endpoint = endpoint
    for (const topic of node.listeners.keys()) this.topics.changed(node, topic)
    this.#medium.note('boot', node)
    this.changed()
  }

  /** The endpoint stops in an orderly way, and other hosts learn of it at once. */
  leave(endpoint: Endpoint): void {
    const node = this.node(endpoint.id)
    if (node.endpoint !== endpoint) return
    this.records.drop(node)
    this.#medium.note('stop', node)
    this.#gone(node, endpoint)
  }

  /** The process is gone, and its provider records stay. A stranger survives the crash of a process on its host. */
  crash(node: Node): void {
    const { endpoint } = node
    if (endpoint === undefined || endpoint === node.resident) return
    this.#medium.note('crash', node)
    this.#gone(node, endpoint)
  }

  async provide(by: Endpoint, cid: CID, signal: AbortSignal): Promise<void> {
    const node = await this.#roundTrip(by, signal)
    if (this.#lonely(node))
      throw failure('NO_PEERS', 'routing.provide', 'no other peer is in reach to take the provider record')
    this.records.add(blockKey(cid), node)
    this.exchange.provided(blockKey(cid))
  }

  async providers(by: Endpoint, cid: CID, signal: AbortSignal): Promise<readonly Node[]> {
    const node = await this.#roundTrip(by, signal)
    return this.#lonely(node) ? [] : this.records.of(blockKey(cid))
  }

  async findPeer(by: Endpoint, id: string, signal: AbortSignal): Promise<PeerInfo> {
    const node = await this.#roundTrip(by, signal)
    const other = this.#nodes.get(id)
    if (other === node || (other !== undefined && this.#linked(node, other))) return peerInfo(id)
    throw failure('NOT_FOUND', 'routing.findPeer', `no peer in reach knows "${id}"`)
  }

  async connect(by: Endpoint, id: string, signal: AbortSignal): Promise<void> {
    const node = await this.#roundTrip(by, signal)
    const other = this.#nodes.get(id)
    if (other === undefined || !this.#linked(node, other))
      throw failure('UNREACHABLE', 'routing.connect', `no peer answers at "${peerInfo(id).addresses[0]}"`)
    this.#connections.connect(node, other)
    this.exchange.changed()
  }

  disconnect(by: Endpoint, id: string): void {
    const other = this.#nodes.get(id)
    if (other !== undefined) this.#connections.disconnect(this.node(by.id), other)
  }

  connections(of: Endpoint): string[] {
    return this.#connections.of(this.node(of.id)).map(({ id }) => id)
  }

  #gone(node: Node, endpoint: Endpoint): void {
    node.endpoint = undefined
    node.uplinkFree = 0
    this.exchange.left(endpoint)
    this.topics.left(node)
    if (node.resident !== undefined && node.resident !== endpoint) this.join(node.resident)
    else this.changed()
  }

  #linked(a: Node, b: Node): boolean {
    return a !== b && this.#medium.open(a, b) && this.#medium.open(b, a)
  }

  #lonely(node: Node): boolean {
    for (const other of this.#nodes.values()) if (this.#linked(node, other)) return false
    return true
  }

  /**
   * A question to other hosts takes time. The engine repeats it, so it is never lost. If the process ends first, the
   * promise stays pending.
   */
  #roundTrip(by: Endpoint, signal: AbortSignal): Promise<Node> {
    const medium = this.#medium
    const node = this.node(by.id)
    const there = medium.latency(node, node, medium.way(node, node), 0)
    const back = medium.latency(node, node, medium.way(node, node), 0)
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        medium.queue.cancel(event)
        reject(signal.reason as Error)
      }
      const event = medium.after(there + back, () => {
        signal.removeEventListener('abort', onAbort)
        if (node.endpoint !== by) return false
        resolve(node)
        return true
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
