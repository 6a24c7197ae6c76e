import type { Libp2p } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import {
  isP2plError,
  unsupported,
  type AbortOptions,
  type FindProvidersOptions,
  type PeerInfo,
  type Routing
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { checkCid, type Door } from '@p2pl/embedded'
import type { Engine } from './engine.ts'
import { backendName, failure, failures } from './errors.ts'
import type { Gater } from './connections/gater.ts'
import type { Links } from './connections/links.ts'
import { addressTexts, dialable, parsePeerId, peerInfo } from './peers.ts'

const defaultLimit = 20
/** A peer that was just connected is asked for its protocols before it joins the routing table. */
const tablePatience = 3_000
/** A connection that does not close in an orderly way for this long is cut. */
const closeLimit = 1_000

/** Provider records by kad-dht, connections by libp2p. */
export class HeliaRouting implements Routing {
  readonly #door: Door<Engine>
  readonly #gater: Gater
  readonly #links: () => Links | undefined

  constructor(door: Door<Engine>, gater: Gater, links: () => Links | undefined) {
    this.#door = door
    this.#gater = gater
    this.#links = links
  }

  async provide(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'routing.provide'
    await this.#door.call(operation, options, async (engine, signal) => {
      const dht = needDht(operation, engine)
      const own = checkCid(failures, operation, cid)
      // Alone, the engine waits for ever.
      if (!(await hasTable(engine.libp2p, dht, signal))) throw nobody(operation)
      let accepted = 0
      for await (const event of dht.provide(own, { signal }))
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') accepted++
      if (accepted > 0) return
      await dht.cancelReprovide(own)
      throw nobody(operation)
    })
  }

  async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'routing.unprovide'
    await this.#door.call(operation, options, async (engine, signal) => {
      await needDht(operation, engine).cancelReprovide(checkCid(failures, operation, cid), { signal })
    })
  }

  findProviders(cid: CID, options?: FindProvidersOptions): AsyncIterable<PeerInfo> {
    const operation = 'routing.findProviders'
    return this.#door.iterate(operation, options, (engine, signal) => {
      const limit = options?.limit ?? defaultLimit
      if (!Number.isInteger(limit) || limit < 1)
        throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'limit must be an integer of at least 1' })
      return searchProviders(
        engine.libp2p,
        needDht(operation, engine),
        checkCid(failures, operation, cid),
        limit,
        signal
      )
    })
  }

  async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
    const operation = 'routing.findPeer'
    return await this.#door.call(operation, options, async (engine, signal) => {
      const peerId = parsePeerId(operation, id)
      const known = await peerInfo(engine.libp2p, id)
      if (known.addresses.length > 0) return known
      if (engine.dht !== undefined && (await hasTable(engine.libp2p, engine.dht, signal))) {
        for await (const event of engine.dht.findPeer(peerId, { signal }))
          if (event.name === 'FINAL_PEER' && event.peer.id.equals(peerId))
            return { id, addresses: addressTexts(event.peer.multiaddrs) }
      }
      throw failure({ code: 'NOT_FOUND', operation, message: `nobody who can be asked knows the peer ${id}` })
    })
  }

  async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
    const operation = 'routing.connect'
    await this.#door.call(operation, options, async ({ libp2p }, signal) => {
      const id = parsePeerId(operation, peer.id)
      if (id.equals(libp2p.peerId))
        throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'a peer cannot connect to itself' })
      const addresses = dialable(peer.id, peer.addresses).map(String)
      if (addresses.length === 0 && peer.addresses.length > 0)
        throw failure({
          code: 'INVALID_ARGUMENT',
          operation,
          message: `none of the addresses of ${peer.id} is a multiaddr of that peer`
        })
      const target = { id: peer.id, addresses }
      this.#gater.give(target)
      try {
        await this.#links()?.connect(target, signal)
      } catch (error) {
        this.#gater.withdraw(peer.id)
        if (signal.aborted || isP2plError(error)) throw error
        throw failure({
          code: 'UNREACHABLE',
          operation,
          cause: error,
          message: `${peer.id} does not answer at ${addresses.join(', ') || 'any known address'}: ${error instanceof Error ? error.message : String(error)}`
        })
      }
    })
  }

  async disconnect(id: string, options?: AbortOptions): Promise<void> {
    const operation = 'routing.disconnect'
    await this.#door.call(operation, options, async ({ libp2p }, signal) => {
      const peerId = parsePeerId(operation, id)
      this.#links()?.release(id)
      this.#gater.withdraw(id)
      // Given no limit, the engine waits for ever for the end of a connection that has just ended; given one, it then cuts it.
      await libp2p.hangUp(peerId, { signal: AbortSignal.any([signal, AbortSignal.timeout(closeLimit)]) })
    })
  }

  async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#door.quick('routing.connections', options, async ({ libp2p }) => {
      const open = libp2p.getConnections().filter(({ status, limits }) => status === 'open' && limits === undefined)
      const ids = new Set(open.map(({ remotePeer }) => remotePeer.toString()))
      return await Promise.all([...ids].map((id) => peerInfo(libp2p, id)))
    })
  }
}

/** Distinct remote providers. The engine repeats some, lists the node itself, and waits for ever when it knows nobody. */
export async function* searchProviders(
  libp2p: Libp2p,
  dht: SingleKadDHT,
  cid: CID,
  limit: number,
  signal: AbortSignal
): AsyncGenerator<PeerInfo, void, undefined> {
  if (!(await hasTable(libp2p, dht, signal))) return
  const seen = new Set<string>([libp2p.peerId.toString()])
  for await (const event of dht.findProviders(cid, { signal })) {
    if (event.name !== 'PROVIDER') continue
    for (const { id, multiaddrs } of event.providers) {
      const text = id.toString()
      if (seen.has(text)) continue
      seen.add(text)
      // A record may come without addresses while the peer store has some.
      yield multiaddrs.length > 0 ? { id: text, addresses: addressTexts(multiaddrs) } : await peerInfo(libp2p, text)
      if (seen.size > limit) return
    }
  }
  // The engine ends its search without a word when it is aborted.
  signal.throwIfAborted()
}

/** Whether there is anybody to ask. */
async function hasTable(libp2p: Libp2p, dht: SingleKadDHT, signal: AbortSignal): Promise<boolean> {
  // It emits events, which its type does not say.
  const table = dht.routingTable as SingleKadDHT['routingTable'] & EventTarget
  if (table.size > 0) return true
  if (libp2p.getConnections().length === 0) return false
  const { promise, resolve } = Promise.withResolvers<void>()
  const onAdd = (): void => resolve()
  const timer = setTimeout(resolve, tablePatience)
  table.addEventListener('peer:add', onAdd)
  signal.addEventListener('abort', onAdd, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    table.removeEventListener('peer:add', onAdd)
    signal.removeEventListener('abort', onAdd)
  }
  signal.throwIfAborted()
  return table.size > 0
}

function needDht(operation: string, { dht }: Engine): SingleKadDHT {
  if (dht === undefined) throw unsupported(backendName, operation, 'the option "dht" is false')
  return dht
}

function nobody(operation: string): Error {
  return failure({
    code: 'NO_PEERS',
    operation,
    message: 'no connected peer keeps provider records: connect to one, then try again'
  })
}
