import { CID } from 'multiformats/cid'
import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing } from '@p2pl/core/backend'
import { unsupported } from '@p2pl/core/backend'
import type { CallKind } from '@p2pl/kubo/rpc'
import { announce } from './announce.ts'
import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'
import { backendName, failure } from './errors.ts'
import { finalPeer, peersIn, provider } from './query-events.ts'
import type { Renewals } from './renewals.ts'

const defaultLimit = 20
const maxLimit = 1000

const findingProviders: CallKind = { operation: 'routing.findProviders', lane: 'network' }
const findingPeer: CallKind = { operation: 'routing.findPeer', lane: 'network' }

/** Provider records and addresses through the daemon's DHT. */
export class KuboRouting implements Routing {
  readonly #engine: Engine
  readonly #connections: Connections
  readonly #renewals: Renewals
  readonly #canUnprovide: boolean

  /** `canUnprovide`: whether the daemon announces nothing on its own, so that ending our renewals ends them all. */
  constructor(engine: Engine, connections: Connections, renewals: Renewals, canUnprovide: boolean) {
    this.#engine = engine
    this.#connections = connections
    this.#renewals = renewals
    this.#canUnprovide = canUnprovide
  }

  async provide(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'routing.provide'
    this.#engine.check(operation, options.signal)
    const own = asCid(operation, cid)
    await announce(this.#engine, own, options.signal)
    this.#renewals.add(own.toString())
  }

  async unprovide(cid: CID, options: AbortOptions = {}): Promise<void> {
    const operation = 'routing.unprovide'
    this.#engine.check(operation, options.signal)
    if (!this.#canUnprovide)
      throw unsupported(
        backendName,
        operation,
        'an external daemon announces what its Provide.Strategy says; change that, or use a managed daemon'
      )
    this.#renewals.delete(asCid(operation, cid).toString())
  }

  async *findProviders(cid: CID, options: FindProvidersOptions = {}): AsyncGenerator<PeerInfo, void, undefined> {
    const operation = 'routing.findProviders'
    this.#engine.check(operation, options.signal)
    const limit = options.limit ?? defaultLimit
    if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
      throw failure('INVALID_ARGUMENT', operation, `"limit" is a whole number from 1 to ${maxLimit}`)
    const content = asCid(operation, cid)
    const seen = new Set([this.#engine.self().id])
    const answer = await this.#engine.rpc.request(findingProviders, {
      path: 'routing/findprovs',
      // One more, because the own record counts there.
      query: new URLSearchParams({ arg: content.toString(), 'num-providers': String(limit + 1) }),
      signal: options.signal
    })
    for await (const event of answer.objects())
      for (const peer of peersIn(event, provider)) {
        if (seen.has(peer.id)) continue
        seen.add(peer.id)
        yield peer
        if (seen.size > limit) return
      }
  }

  async findPeer(id: string, options: AbortOptions = {}): Promise<PeerInfo> {
    const operation = 'routing.findPeer'
    this.#engine.check(operation, options.signal)
    if (id === this.#engine.self().id) return this.#engine.self()
    const query = new URLSearchParams({ arg: id })
    const answer = await this.#engine.rpc.request(findingPeer, { path: 'routing/findpeer', query, signal: options.signal })
    for await (const event of answer.objects())
      for (const peer of peersIn(event, finalPeer)) if (peer.id === id) return peer
    throw failure('NOT_FOUND', operation, `nobody knows the addresses of ${id}`)
  }

  async connect(peer: PeerInfo, options: AbortOptions = {}): Promise<void> {
    await this.#connections.connect(peer, options)
  }

  async disconnect(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#connections.disconnect(id, options)
  }

  async connections(options: AbortOptions = {}): Promise<readonly PeerInfo[]> {
    return await this.#connections.list(options)
  }
}

function asCid(operation: string, cid: CID): CID {
  const own = CID.asCID(cid)
  if (own === null) throw failure('INVALID_ARGUMENT', operation, `${operation} takes a CID`)
  return own
}
