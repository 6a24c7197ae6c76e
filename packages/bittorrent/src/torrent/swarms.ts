import type { Socket } from 'node:net'
import type { CID } from 'multiformats/cid'
import type { Dialler } from '../overlay/links/dialler.ts'
import type { Rendezvous } from '../overlay/rendezvous/rendezvous.ts'
import { plainHost } from '@p2pl/embedded'
import { formatAddress, type Address } from '../tools/address.ts'
import { hexOf } from '../tools/bytes.ts'
import type { LeafReader } from './layout/leaf-reader.ts'
import { leavesOf, type Load } from './layout/leaves.ts'
import type { TorrentInfo } from './metainfo/info.ts'
import type { Seed, Seeds } from './seeds.ts'
import type { PieceStore } from './swarm/chunk-store.ts'
import { Search } from './swarm/search.ts'
import { Swarm } from './swarm/swarm.ts'
import type { TorrentClient } from './swarm/torrent-client.ts'

/** A seeded torrent is unloaded when nobody was connected for this long (ms). */
const idleCheck = 30_000

/** Everything that is needed to take part in a swarm. */
export interface Entry {
  readonly infoHash: Uint8Array
  readonly info: TorrentInfo | undefined
  readonly peers: readonly Address[]
  readonly store: PieceStore
}

export interface SwarmsInit {
  readonly client: TorrentClient
  readonly seeds: Seeds
  readonly reader: LeafReader
  readonly load: Load
  readonly dialler: Dialler
  readonly rendezvous: Rendezvous
}

/**
 * The swarms that this peer takes part in: those of its seeds while other peers are connected, and those that it gets
 * pieces from.
 */
export class Swarms {
  readonly #init: SwarmsInit
  /** By infohash, as hexadecimal digits. */
  readonly #swarms = new Map<string, Promise<Swarm>>()
  readonly #timer: NodeJS.Timeout
  #stopped = false

  constructor(init: SwarmsInit) {
    this.#init = init
    this.#timer = setInterval(() => void this.#unload(), idleCheck).unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#init.client.stop()
  }

  has(infoHash: Uint8Array): boolean {
    return this.#swarms.has(hexOf(infoHash))
  }

  /**
   * Offers an incoming socket whose handshake has this infohash. Returns whether it belongs to a torrent that is seeded
   * or fetched.
   */
  adopt(infoHash: string, socket: Socket): boolean {
    if (this.#stopped || (this.#init.seeds.get(infoHash) === undefined && !this.#swarms.has(infoHash))) return false
    const id = formatAddress({ host: plainHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 })
    this.#loaded(infoHash).then(
      (swarm) => (swarm === undefined ? void socket.destroy() : swarm.attach(socket, id)),
      () => socket.destroy()
    )
    return true
  }

  /** Joins a swarm to get its pieces. A swarm that was loaded under the same infohash ends first. */
  async join({ infoHash, info, peers, store }: Entry): Promise<Swarm> {
    const { dialler, rendezvous } = this.#init
    const name = hexOf(infoHash)
    // No `await` between the last check and the load: the library accepts each infohash only once.
    while (this.#swarms.has(name)) await this.drop(name)
    let search: Search | undefined
    let known = info
    const swarm = await this.#load(name, (client) => {
      const lied = (address: string): void => search?.ban(address)
      return new Swarm({ client, infoHash, info, complete: false, store, lied })
    })
    swarm.info(swarm.ended).then(
      (found) => (known = found),
      () => {}
    )
    const connected = (socket: Socket, id: string): void => void swarm.attach(socket, id)
    search = new Search({ infoHash, peers, dialler, rendezvous, connected, private: () => known?.private === true })
    swarm.ended.addEventListener('abort', () => search?.stop())
    return swarm
  }

  /** `infoHash`: hexadecimal digits. */
  async drop(infoHash: string): Promise<void> {
    const swarm = await this.#swarms.get(infoHash)?.catch(() => undefined)
    swarm?.stop()
  }

  async #loaded(infoHash: string): Promise<Swarm | undefined> {
    const loaded = this.#swarms.get(infoHash)
    if (loaded !== undefined) return await loaded
    const seed = this.#init.seeds.get(infoHash)
    if (seed === undefined) return undefined
    return await this.#load(infoHash, (client) => {
      const store = this.#storeOf(seed, () => swarm.stop())
      const { info } = seed
      const swarm: Swarm = new Swarm({ client, infoHash: info.infoHash, info, complete: true, store })
      return swarm
    })
  }

  /** `incomplete` is called when a part is no longer stored here. Others get it sooner elsewhere if this peer leaves. */
  #storeOf({ root }: Seed, incomplete: () => void): PieceStore {
    const { reader, load } = this.#init
    let leaves: Promise<readonly CID[]> | undefined
    return {
      read: async (start, length) => {
        leaves ??= leavesOf(root, load).then((file) => file?.leaves ?? [])
        try {
          return await reader.read(await leaves, start, length)
        } catch (error) {
          incomplete()
          throw error
        }
      },
      write: async () => {}
    }
  }

  async #load(infoHash: string, make: (client: Awaited<ReturnType<TorrentClient['open']>>) => Swarm): Promise<Swarm> {
    const loading = this.#init.client.open().then(make)
    this.#swarms.set(infoHash, loading)
    const gone = (): void => {
      if (this.#swarms.get(infoHash) === loading) this.#swarms.delete(infoHash)
    }
    try {
      const swarm = await loading
      if (swarm.ended.aborted) gone()
      else swarm.ended.addEventListener('abort', gone)
      return swarm
    } catch (error) {
      gone()
      throw error
    }
  }

  async #unload(): Promise<void> {
    for (const [infoHash, loading] of this.#swarms) {
      const swarm = await loading.catch(() => undefined)
      if (swarm !== undefined && this.#init.seeds.get(infoHash) !== undefined && !swarm.busy) swarm.stop()
    }
  }
}
