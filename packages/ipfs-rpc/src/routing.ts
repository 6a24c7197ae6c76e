import { CID } from 'multiformats/cid'
import type { AbortOptions, FindProvidersOptions, PeerInfo, Routing } from '@p2pl/core/backend'
import { unsupported } from '@p2pl/core/backend'
import { announce } from './announce.ts'
import { boundedAddresses } from './addresses.ts'
import type { Connections } from './connections.ts'
import type { Engine } from './engine.ts'
import { backendName, failure } from './errors.ts'
import type { Renewals } from './renewals.ts'

const defaultLimit = 20
const maxLimit = 1000
// Kinds of the daemon's query events.
const finalPeer = 2
const provider = 4

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
    const arg = key(operation, cid)
    await announce(this.#engine, operation, arg, options.signal)
    this.#renewals.add(arg)
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
    this.#renewals.delete(key(operation, cid))
  }

  async *findProviders(cid: CID, options: FindProvidersOptions = {}): AsyncGenerator<PeerInfo, void, undefined> {
    const operation = 'routing.findProviders'
    this.#engine.check(operation, options.signal)
    const limit = options.limit ?? defaultLimit
    if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
      throw failure('INVALID_ARGUMENT', operation, `"limit" is a whole number from 1 to ${maxLimit}`)
    const own = this.#engine.self().id
    const seen = new Set([own])
    const events = this.#engine.rpc.lines(
      'routing/findprovs',
      // One more, because the own record counts there.
      { arg: key(operation, cid), 'num-providers': limit + 1 },
      { operation, signal: options.signal, lane: 'network' }
    )
    for await (const event of events) {
      if (event['Type'] !== provider) continue
      for (const peer of responses(event)) {
        if (seen.has(peer.id)) continue
        seen.add(peer.id)
        yield peer
        if (seen.size > limit) return
      }
    }
  }

  async findPeer(id: string, options: AbortOptions = {}): Promise<PeerInfo> {
    const operation = 'routing.findPeer'
    this.#engine.check(operation, options.signal)
    if (id === this.#engine.self().id) return this.#engine.self()
    const events = this.#engine.rpc.lines(
      'routing/findpeer',
      { arg: id },
      { operation, signal: options.signal, lane: 'network' }
    )
    for await (const event of events) {
      if (event['Type'] !== finalPeer) continue
      const found = responses(event).find((peer) => peer.id === id) ?? responses(event)[0]
      if (found !== undefined) return { id, addresses: found.addresses }
    }
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

function key(operation: string, cid: CID): string {
  const own = CID.asCID(cid)
  if (own === null) throw failure('INVALID_ARGUMENT', operation, `${operation} takes a CID`)
  return own.toString()
}

function responses(event: Record<string, unknown>): PeerInfo[] {
  const list = Array.isArray(event['Responses']) ? (event['Responses'] as { ID?: unknown; Addrs?: unknown }[]) : []
  return list
    .filter((entry): entry is { ID: string; Addrs?: unknown } => typeof entry?.ID === 'string')
    .map(({ ID, Addrs }) => ({
      id: ID,
      addresses: boundedAddresses(Array.isArray(Addrs) ? Addrs : []).map((address) =>
        address.includes('/p2p/') ? address : `${address}/p2p/${ID}`
      )
    }))
}
