import {
  unsupported,
  type AbortOptions,
  type FindProvidersOptions,
  type PeerInfo,
  type Routing
} from '@p2pl/core/backend'
import { checkCid, type Door } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import type { Engine } from './engine.ts'
import { backendName, failure, failures } from './errors.ts'
import { contentKey, peerKey } from './overlay/keys.ts'
import { checkPeerId, dialable, peerInfoOf } from './peers.ts'
import { dialOrNone, searchProviders } from './providers.ts'
import { formatAddress, type Address } from './tools/address.ts'

const defaultLimit = 20

/** Records in the DHT and at trackers, connections by the links. */
export class BittorrentRouting implements Routing {
  readonly #door: Door<Engine>
  /** Called after a CID was provided. */
  readonly #provided: (engine: Engine, cid: CID) => void

  constructor(door: Door<Engine>, provided: (engine: Engine, cid: CID) => void) {
    this.#door = door
    this.#provided = provided
  }

  async provide(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'routing.provide'
    await this.#door.call(operation, options, async (engine, signal) => {
      needPlace(operation, engine)
      const own = checkCid(failures, operation, cid)
      const linked = (): boolean => engine.overlay.links.all().length > 0
      if (!(await engine.provided.add(own.multihash.bytes, linked, signal)))
        throw failure({
          code: 'NO_PEERS',
          operation,
          message: 'nobody is there to take the record: connect, or give bootstrap or trackers, and provide again'
        })
      this.#provided(engine, own)
    })
  }

  async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'routing.unprovide'
    await this.#door.quick(operation, options, async (engine) => {
      needPlace(operation, engine)
      const { bytes } = checkCid(failures, operation, cid).multihash
      await engine.provided.remove(bytes)
      await engine.torrents.unseed(bytes)
    })
  }

  findProviders(cid: CID, options?: FindProvidersOptions): AsyncIterable<PeerInfo> {
    const operation = 'routing.findProviders'
    return this.#door.iterate(operation, options, (engine, signal) => {
      needPlace(operation, engine)
      const limit = options?.limit ?? defaultLimit
      if (!Number.isInteger(limit) || limit < 1)
        throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'limit must be an integer of at least 1' })
      const key = contentKey(checkCid(failures, operation, cid).multihash.bytes)
      return searchProviders(engine.overlay, key, limit, signal)
    })
  }

  async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
    const operation = 'routing.findPeer'
    return await this.#door.call(operation, options, async ({ overlay }, signal) => {
      const wanted = checkPeerId(operation, id)
      const { links, dialler, rendezvous } = overlay
      const link = links.get(wanted)
      if (link?.address !== undefined) return peerInfoOf(link)
      const found = new Map<string, Address>()
      await rendezvous.lookup(peerKey(wanted), (address) => found.set(formatAddress(address), address), signal)
      // Anybody can put a record under any key: only the peer that proves the id is it.
      const checks = [...found.values()].map(async (address) => {
        const answering = await dialOrNone(dialler, address, signal)
        if (answering?.id !== wanted) throw new Error('another peer')
        return answering
      })
      const answering = await Promise.any(checks).catch(() => undefined)
      if (answering !== undefined) return peerInfoOf(answering)
      throw failure({ code: 'NOT_FOUND', operation, message: `nobody who can be asked knows the peer ${wanted}` })
    })
  }

  async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
    const operation = 'routing.connect'
    await this.#door.call(operation, options, async ({ id: ownId, gate, overlay }, signal) => {
      const { links, dialler, keeper } = overlay
      const id = checkPeerId(operation, peer.id)
      if (id === ownId)
        throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'a peer cannot connect to itself' })
      const addresses = dialable(peer)
      if (addresses.length === 0 && peer.addresses.length > 0)
        throw failure({
          code: 'INVALID_ARGUMENT',
          operation,
          message: `none of the addresses of ${id} looks like 127.0.0.1:6881`
        })
      for (const { host } of addresses) gate.give(host)
      // A peer that is not there yet is connected when it comes.
      keeper.keep(id, addresses)
      const errors: unknown[] = []
      for (const address of addresses) {
        if (links.get(id) !== undefined) break
        const link = await dialler.dial(address, signal).catch((error: unknown) => {
          errors.push(error)
          return undefined
        })
        signal.throwIfAborted()
        if (link?.id === id) break
      }
      if (links.get(id) !== undefined) return
      throw failure({
        code: 'UNREACHABLE',
        operation,
        cause: errors[0],
        message: `${id} does not answer at ${addresses.map(formatAddress).join(', ') || 'any known address'}`
      })
    })
  }

  async disconnect(id: string, options?: AbortOptions): Promise<void> {
    const operation = 'routing.disconnect'
    await this.#door.quick(operation, options, ({ overlay: { links, keeper } }) => {
      const link = links.get(checkPeerId(operation, id))
      keeper.release(link, id)
      link?.fail()
    })
  }

  async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#door.quick('routing.connections', options, ({ overlay: { links } }) =>
      links.all().map(peerInfoOf)
    )
  }
}

function needPlace(operation: string, { overlay: { rendezvous } }: Engine): void {
  if (!rendezvous.exists) throw unsupported(backendName, operation, 'it was made with dht: false and without trackers')
}
