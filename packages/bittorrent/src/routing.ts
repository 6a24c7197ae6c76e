import {
  unsupported,
  type AbortOptions,
  type FindProvidersOptions,
  type PeerInfo,
  type Routing
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { formatAddress, type Address } from './address.ts'
import { hexOf } from './bytes.ts'
import { checkCid, type Door } from '@p2pl/embedded'
import type { Engine } from './engine/engine.ts'
import type { Link } from './engine/link.ts'
import { backendName, failure, failures } from './errors.ts'
import { contentKey, peerKey } from './keys.ts'
import { checkPeerId, dialable, peerInfoOf } from './peers.ts'

const defaultLimit = 20
const dialLimit = 8_000

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
      const { rendezvous, links, provided, stores } = engine
      needPlace(operation, engine)
      const own = checkCid(failures, operation, cid)
      const { bytes } = own.multihash
      const key = contentKey(bytes)
      const linked = (): boolean => links.all().length > 0
      const known = provided.has(hexOf(key))
      // Before the record is there: who finds it may ask at once.
      provided.add(hexOf(key))
      const taken = (await rendezvous.reachable(linked, signal)) && (await rendezvous.announce(key, () => {}, signal))
      if (!taken) {
        if (!known) provided.delete(hexOf(key))
        throw failure({
          code: 'NO_PEERS',
          operation,
          message: 'nobody is there to take the record: connect, or give bootstrap or trackers, and provide again'
        })
      }
      rendezvous.keep(key)
      await stores.provided.write([{ key: bytes, value: new Uint8Array() }])
      this.#provided(engine, own)
    })
  }

  async unprovide(cid: CID, options?: AbortOptions): Promise<void> {
    const operation = 'routing.unprovide'
    await this.#door.quick(operation, options, async (engine) => {
      needPlace(operation, engine)
      const { bytes } = checkCid(failures, operation, cid).multihash
      const key = contentKey(bytes)
      engine.provided.delete(hexOf(key))
      engine.rendezvous.drop(key)
      await engine.stores.provided.write([{ key: bytes, value: undefined }])
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
      return searchProviders(engine, contentKey(checkCid(failures, operation, cid).multihash.bytes), limit, signal)
    })
  }

  async findPeer(id: string, options?: AbortOptions): Promise<PeerInfo> {
    const operation = 'routing.findPeer'
    return await this.#door.call(operation, options, async (engine, signal) => {
      const wanted = checkPeerId(operation, id)
      const link = engine.links.get(wanted)
      if (link?.address !== undefined) return peerInfoOf(link)
      const found = new Map<string, Address>()
      await engine.rendezvous.lookup(peerKey(wanted), (address) => found.set(formatAddress(address), address), signal)
      // Anybody can announce under any key: only who answers with the id is it.
      const checks = [...found.values()].map(async (address) => {
        const answering = await dial(engine, address, signal)
        if (answering?.id !== wanted) throw new Error('somebody else')
        return answering
      })
      const answering = await Promise.any(checks).catch(() => undefined)
      if (answering !== undefined) return peerInfoOf(answering)
      throw failure({ code: 'NOT_FOUND', operation, message: `nobody who can be asked knows the peer ${wanted}` })
    })
  }

  async connect(peer: PeerInfo, options?: AbortOptions): Promise<void> {
    const operation = 'routing.connect'
    await this.#door.call(operation, options, async (engine, signal) => {
      const id = checkPeerId(operation, peer.id)
      if (id === engine.id)
        throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'a peer cannot connect to itself' })
      const addresses = dialable(peer)
      if (addresses.length === 0 && peer.addresses.length > 0)
        throw failure({
          code: 'INVALID_ARGUMENT',
          operation,
          message: `none of the addresses of ${id} looks like 127.0.0.1:6881`
        })
      for (const { host } of addresses) engine.gate.give(host)
      const errors: unknown[] = []
      for (const address of addresses) {
        if (engine.links.get(id) !== undefined) break
        const link = await engine.links.dial(address, signal).catch((error: unknown) => {
          errors.push(error)
          return undefined
        })
        signal.throwIfAborted()
        if (link?.id === id) break
      }
      if (engine.links.get(id) === undefined)
        throw failure({
          code: 'UNREACHABLE',
          operation,
          cause: errors[0],
          message: `${id} does not answer at ${addresses.map(formatAddress).join(', ') || 'any known address'}`
        })
      engine.keeper.keep(id, addresses)
    })
  }

  async disconnect(id: string, options?: AbortOptions): Promise<void> {
    const operation = 'routing.disconnect'
    await this.#door.quick(operation, options, ({ links, keeper }) => {
      const link = links.get(checkPeerId(operation, id))
      keeper.release(link, id)
      link?.fail()
    })
  }

  async connections(options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#door.quick('routing.connections', options, ({ links }) =>
      links
        .all()
        .filter(({ open }) => open)
        .map(peerInfoOf)
    )
  }
}

function needPlace(operation: string, { rendezvous }: Engine): void {
  if (!rendezvous.exists) throw unsupported(backendName, operation, 'it was made with dht: false and without trackers')
}

async function dial(engine: Engine, address: Address, signal: AbortSignal): Promise<Link | undefined> {
  try {
    return await engine.links.dial(address, AbortSignal.any([signal, AbortSignal.timeout(dialLimit)]))
  } catch {
    return undefined
  }
}

/**
 * Records name addresses without ids, may be old, and anybody may have put them there: each is dialled and asked, so that
 * what is listed has an id and does provide.
 */
async function* searchProviders(
  engine: Engine,
  key: Uint8Array,
  limit: number,
  signal: AbortSignal
): AsyncGenerator<PeerInfo, void, undefined> {
  const { rendezvous, links, queries } = engine
  const seen = new Set<string>([engine.id])
  const found: PeerInfo[] = []
  const checks: Promise<void>[] = []
  let exhausted = false
  let wake = (): void => {}
  const check = async (address: Address): Promise<void> => {
    const link = links.at(address) ?? (await dial(engine, address, signal))
    if (link === undefined || seen.has(link.id)) return
    seen.add(link.id)
    if (await queries.provides(link, key, signal)) found.push(peerInfoOf(link))
  }
  const search = rendezvous.lookup(
    key,
    (address) => {
      if (!links.isOwn(address)) checks.push(check(address).finally(() => wake()))
    },
    signal
  )
  void search
    .then(() => Promise.allSettled(checks))
    .catch(() => {})
    .finally(() => {
      exhausted = true
      wake()
    })
  for (let given = 0; given < limit;) {
    const next = found.shift()
    if (next !== undefined) {
      given++
      yield next
    } else if (exhausted) break
    else await new Promise<void>((resolve) => (wake = resolve))
  }
  signal.throwIfAborted()
}
