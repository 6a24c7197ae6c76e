import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing, RoutingCapabilities } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { key } from '../kit/samples.ts'
import type { FakeNode, Run } from './node.ts'

const defaultLimit = 20

export class FakeRouting implements Routing {
  readonly #node: FakeNode
  readonly #declared: RoutingCapabilities

  constructor(node: FakeNode, declared: RoutingCapabilities) {
    this.#node = node
    this.#declared = declared
  }

  async provide(cid: CID, options?: AbortOptions): Promise<void> {
    await this.#call('provide', options, (run) => {
      if (this.#neighbours.length === 0)
        throw this.#node.error('NO_PEERS', 'routing.provide', 'nobody is connected who could hold the record')
      run.provided.add(key(cid))
      const { records } = this.#node.network
      records.set(key(cid), (records.get(key(cid)) ?? new Set()).add(this.#node.store.id))
    })
  }

  async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
    await this.#call('unprovide', options, (run) => {
      run.provided.delete(key(cid))
      this.#node.network.records.get(key(cid))?.delete(this.#node.store.id)
    })
  }

  findProviders(cid: CID, options?: FindProvidersOptions): AsyncIterable<PeerInfo> {
    return this.#node.iterate('routing.findProviders', options, () => {
      if (this.#declared.findProviders === 'none') throw this.#node.unsupported('routing.findProviders')
      const ids = this.#node.network.records.get(key(cid)) ?? new Set()
      const found = this.#neighbours.filter(({ store }) => ids.has(store.id)).slice(0, options?.limit ?? defaultLimit)
      return (async function* () {
        for (const node of found) yield node.self()
      })()
    })
  }

  async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
    return await this.#call('findPeer', options, () => {
      const node = this.#neighbours.find(({ store }) => store.id === id)
      if (node === undefined) throw this.#node.error('NOT_FOUND', 'routing.findPeer', `nobody knows ${id}`)
      return node.self()
    })
  }

  async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
    await this.#call('connect', options, () => {
      const { network, store } = this.#node
      if (
        !network.nodes.has(peer.id) ||
        peer.addresses.length === 0 ||
        network.isCut(store.id) ||
        network.isCut(peer.id)
      )
        throw this.#node.error('UNREACHABLE', 'routing.connect', `no address of ${peer.id} answers`)
      network.connect(store.id, peer.id)
    })
  }

  async disconnect(id: string, options?: AbortOptions): Promise<void> {
    await this.#call('disconnect', options, () => this.#node.network.disconnect(this.#node.store.id, id))
  }

  async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#call('connections', options, () => this.#neighbours.map((node) => node.self()))
  }

  get #neighbours(): FakeNode[] {
    return this.#node.network.neighbours(this.#node.store.id)
  }

  async #call<T>(
    method: Exclude<keyof Routing, 'findProviders'>,
    options: AbortOptions | undefined,
    body: (run: Run) => T
  ): Promise<T> {
    const operation = `routing.${method}`
    return await this.#node.call(operation, options, (run) => {
      const feature = method === 'disconnect' || method === 'connections' ? 'connect' : method
      if (this.#declared[feature] === 'none') throw this.#node.unsupported(operation)
      return body(run)
    })
  }
}
