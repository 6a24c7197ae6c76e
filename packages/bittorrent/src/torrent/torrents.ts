import type { Socket } from 'node:net'
import type { Block } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { formatAddress, plainHost, type Address } from '../address.ts'
import { concatBytes, fromHex, hexOf, textOf } from '../bytes.ts'
import type { Engine } from '../engine/engine.ts'
import { bdecode, bencode } from './bencode.ts'
import { TorrentClient } from './client.ts'
import { makeInfo, parseInfo, sha1, type TorrentInfo } from './info.ts'
import { LeafReader } from './leaves.ts'
import { leavesOf } from './layout.ts'
import { Search } from './search.ts'
import { LeafSession } from './session.ts'
import type { PieceStore } from './store.ts'
import { Swarm } from './swarm.ts'
import type { ImportResult } from './types.ts'

/** A torrent that is seeded is unloaded when nobody was connected for so long. */
const idleCheck = 30_000
const maxSessions = 16
const maxPublishers = 8
const maxRefused = 1_024
const searchLimit = 3_000

/** A file that is seeded. */
interface Seed {
  readonly root: CID
  readonly info: TorrentInfo
  leaves: Promise<readonly CID[]> | undefined
}

/** What is needed to take part in a swarm. */
export interface Membership {
  readonly infoHash: Uint8Array
  readonly info: TorrentInfo | undefined
  readonly peers: readonly Address[]
  readonly store: PieceStore
}

/** A swarm, and the search for others of it. */
export interface Member {
  readonly swarm: Swarm
  readonly search: Search
  readonly leave: () => void
}

/** A leaf that is looked for in the swarm of its file. */
export interface LeafWant {
  readonly root: CID
  /** Keys of those who may have said in the DHT which torrent the file is. */
  readonly publishers: readonly Uint8Array[]
  readonly put: (block: Block) => Promise<void>
}

interface Known {
  readonly infoHash: Uint8Array
  readonly peer: Address | undefined
}

/** Files as ordinary BitTorrent v1 torrents: those that are provided are seeded, others are fetched from whoever seeds them. */
export class Torrents {
  readonly reader: LeafReader
  /** Imports under way, by infohash. */
  readonly imports: Map<string, Promise<ImportResult>> = new Map()
  readonly #engine: Engine
  readonly #client: TorrentClient
  readonly #seeds = new Map<string, Seed>()
  /** By multihash of the root. */
  readonly #byRoot = new Map<string, Seed>()
  /** Those that are loaded, by infohash. */
  readonly #swarms = new Map<string, Promise<Swarm>>()
  readonly #sessions = new Map<string, Promise<LeafSession | undefined>>()
  /** Infohashes whose bytes were not those of the CID that they were named for. */
  readonly #refused = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #stopped = false

  constructor(engine: Engine, peerId: Uint8Array) {
    this.#engine = engine
    this.#client = new TorrentClient(peerId, engine.settings.maxConnections)
    this.reader = new LeafReader((cid) => this.load(cid))
    this.#timer = setInterval(() => void this.#unload(), idleCheck).unref()
  }

  /** Takes up what was seeded in a former life. */
  async start(): Promise<void> {
    const { torrents } = this.#engine.stores
    for await (const key of torrents.keys()) {
      const value = await torrents.get(key)
      if (value === undefined) continue
      const record = bdecode(value).value as { root: Uint8Array; info: Uint8Array }
      this.#add({ root: CID.decode(record.root), info: parseInfo(record.info), leaves: undefined })
    }
    for (const { info, root } of this.#seeds.values()) {
      this.#engine.rendezvous.keepSoon(info.infoHash)
      this.#engine.publications.keep(root.multihash.bytes, info.infoHash)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const session of this.#sessions.values()) void session.then((open) => open?.end())
    await this.#client.stop()
  }

  /** An incoming socket whose handshake names some infohash. Whether it is one of those that are seeded or fetched. */
  adopt(infoHash: string, socket: Socket): boolean {
    if (this.#stopped || (!this.#seeds.has(infoHash) && !this.#swarms.has(infoHash))) return false
    const id = formatAddress({ host: plainHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 })
    this.#loaded(infoHash).then(
      (swarm) => void swarm?.attach(socket, id),
      () => socket.destroy()
    )
    return true
  }

  infoHashOf(multihash: Uint8Array): Uint8Array | undefined {
    return this.#byRoot.get(textOf(multihash))?.info.infoHash
  }

  /** The root and the info of what is seeded under the infohash. */
  seedOf(infoHash: Uint8Array): { readonly root: CID; readonly info: TorrentInfo } | undefined {
    return this.#seeds.get(hexOf(infoHash))
  }

  /** Seeds the file; `undefined` when it is none, or not all of it is stored here. */
  async seed(root: CID, signal: AbortSignal): Promise<TorrentInfo | undefined> {
    const known = this.#byRoot.get(textOf(root.multihash.bytes))
    if (known !== undefined) return known.info
    const file = await leavesOf(root, (cid) => this.load(cid))
    if (file === undefined || file.length === 0) return undefined
    const hashes: Uint8Array[] = []
    for (const leaf of file.leaves) {
      signal.throwIfAborted()
      const bytes = await this.load(leaf)
      if (bytes === undefined) return undefined
      hashes.push(sha1(bytes))
    }
    const info = makeInfo(root.toV1().toString(), file.length, concatBytes(...hashes))
    this.#add({ root, info, leaves: Promise.resolve(file.leaves) })
    const key = root.multihash.bytes
    await this.#engine.stores.torrents.write([{ key, value: bencode({ info: info.bytes, root: root.bytes }) }])
    this.#engine.publications.keep(key, info.infoHash)
    await this.#announce(info.infoHash, signal)
    return info
  }

  async unseed(multihash: Uint8Array): Promise<void> {
    const seed = this.#byRoot.get(textOf(multihash))
    if (seed === undefined) return
    const infoHash = hexOf(seed.info.infoHash)
    this.#byRoot.delete(textOf(multihash))
    this.#seeds.delete(infoHash)
    this.#engine.rendezvous.drop(seed.info.infoHash)
    this.#engine.publications.drop(multihash)
    await this.#engine.stores.torrents.write([{ key: multihash, value: undefined }])
    await this.#drop(infoHash)
  }

  /** Takes part in a swarm to get pieces of it. What was loaded under the infohash before ends. */
  async join({ infoHash, info, peers, store }: Membership): Promise<Member> {
    const { links, rendezvous } = this.#engine
    const name = hexOf(infoHash)
    // From the last look to the load nothing waits: the library takes each infohash once.
    while (this.#swarms.has(name)) await this.#drop(name)
    let search: Search | undefined
    const swarm = await this.#load(name, (client) => {
      const lied = (address: string): void => search?.ban(address)
      return new Swarm({ client, infoHash, info, complete: false, store, lied })
    })
    const connected = (socket: Socket, id: string): void => void swarm.attach(socket, id)
    search = new Search({ infoHash, peers, links, rendezvous, connected })
    swarm.ended.addEventListener('abort', () => search?.stop())
    return { swarm, search, leave: () => swarm.stop() }
  }

  /** A leaf of a file, out of the swarm of the file. `undefined` when there is none, or it does not hold this leaf. */
  async leaf(cid: CID, want: LeafWant, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const name = textOf(want.root.multihash.bytes)
    for (;;) {
      const session = await this.#session(name, want)
      if (session === undefined) return undefined
      try {
        return await session.leaf(cid, signal)
      } catch {
        if (signal.aborted || this.#stopped) return undefined
        // The swarm was of no use: there may be another one.
        this.#sessions.delete(name)
      }
    }
  }

  load(cid: CID): Promise<Uint8Array | undefined> {
    return this.#engine.stores.blocks.get(cid.multihash.bytes)
  }

  async #session(name: string, want: LeafWant): Promise<LeafSession | undefined> {
    let opening = this.#sessions.get(name)
    if (opening !== undefined) return await opening
    if (this.#sessions.size >= maxSessions || this.#stopped) return undefined
    opening = this.#open(name, want).catch(() => undefined)
    this.#sessions.set(name, opening)
    const session = await opening
    if (session === undefined) this.#sessions.delete(name)
    return session
  }

  async #open(name: string, want: LeafWant): Promise<LeafSession | undefined> {
    const file = await leavesOf(want.root, (cid) => this.load(cid))
    if (file === undefined || file.leaves.length < 2) return undefined
    const known = await this.#askFor(want, AbortSignal.timeout(searchLimit))
    const first = known.find(({ infoHash }) => !this.#refused.has(hexOf(infoHash)))
    // Somebody else has it loaded, to import it: that stores the same leaves.
    if (first === undefined || this.#stopped || this.#swarms.has(hexOf(first.infoHash))) return undefined
    const same = known.filter(({ infoHash }) => hexOf(infoHash) === hexOf(first.infoHash))
    const session = new LeafSession(file, this.reader, want.put, {
      refuse: () => {
        if (this.#refused.size < maxRefused) this.#refused.add(hexOf(first.infoHash))
      },
      ended: () => this.#sessions.delete(name)
    })
    const peers = same.flatMap(({ peer }) => peer ?? [])
    await session.join(this, first.infoHash, peers)
    return session
  }

  /** Infohashes of the file: of those who are linked, and of what publishers say in the DHT. */
  async #askFor({ root, publishers }: LeafWant, signal: AbortSignal): Promise<readonly Known[]> {
    const { links, queries, publications } = this.#engine
    const { bytes } = root.multihash
    const answers = links.all().map(async (link): Promise<Known | undefined> => {
      const infoHash = await queries.torrent(link, bytes, signal)
      return infoHash === undefined ? undefined : { infoHash, peer: link.address }
    })
    const items = publishers.slice(0, maxPublishers).map(async (publisher): Promise<Known | undefined> => {
      const infoHash = await publications.find(publisher, bytes, signal).catch(() => undefined)
      return infoHash === undefined ? undefined : { infoHash, peer: undefined }
    })
    return (await Promise.all([...answers, ...items])).filter((known) => known !== undefined)
  }

  async #announce(infoHash: Uint8Array, signal: AbortSignal): Promise<void> {
    const { rendezvous, links } = this.#engine
    if (!rendezvous.meets) return
    const linked = (): boolean => links.all().length > 0
    const taken =
      (await rendezvous.reachable(linked, signal)) && (await rendezvous.announce(infoHash, () => {}, signal))
    if (taken) rendezvous.keep(infoHash)
    else rendezvous.keepSoon(infoHash)
  }

  #add(seed: Seed): void {
    this.#seeds.set(hexOf(seed.info.infoHash), seed)
    this.#byRoot.set(textOf(seed.root.multihash.bytes), seed)
  }

  async #loaded(infoHash: string): Promise<Swarm | undefined> {
    const loaded = this.#swarms.get(infoHash)
    if (loaded !== undefined) return await loaded
    const seed = this.#seeds.get(infoHash)
    if (seed === undefined) return undefined
    return await this.#load(infoHash, (client) => {
      const swarm: Swarm = new Swarm({
        client,
        infoHash: fromHex(infoHash) ?? new Uint8Array(),
        info: seed.info,
        complete: true,
        store: {
          read: async (start, length) => {
            seed.leaves ??= leavesOf(seed.root, (cid) => this.load(cid)).then((file) => file?.leaves ?? [])
            try {
              return await this.reader.read(await seed.leaves, start, length)
            } catch (error) {
              // A part is not stored here any more: whoever asks gets it elsewhere sooner when we are gone.
              swarm.stop()
              throw error
            }
          },
          write: async () => {}
        }
      })
      return swarm
    })
  }

  async #load(infoHash: string, make: (client: Awaited<ReturnType<TorrentClient['open']>>) => Swarm): Promise<Swarm> {
    const loading = this.#client.open().then(make)
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

  async #drop(infoHash: string): Promise<void> {
    const swarm = await this.#swarms.get(infoHash)?.catch(() => undefined)
    swarm?.stop()
  }

  async #unload(): Promise<void> {
    for (const [infoHash, loading] of this.#swarms) {
      const swarm = await loading.catch(() => undefined)
      if (swarm !== undefined && this.#seeds.has(infoHash) && !swarm.busy) swarm.stop()
    }
  }
}
