import { type Block, bytesKey } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Queries } from '../overlay/exchange/queries.ts'
import type { Links } from '../overlay/links/links.ts'
import type { Address } from '../tools/address.ts'
import { hexOf } from '../tools/bytes.ts'
import type { LeafReader } from './layout/leaf-reader.ts'
import { leavesOf, type Load } from './layout/leaves.ts'
import { LeafSession } from './leaf-session.ts'
import type { Publications } from './publications.ts'
import type { Swarms } from './swarms.ts'

const maxSessions = 16
const maxPublishers = 8
const maxRefused = 1_024
const searchTimeout = 3_000

/** A leaf to look for in the swarm of its file. */
export interface LeafWant {
  readonly root: CID
  /** Keys of peers that may have published the torrent of the file in the DHT. */
  readonly publishers: readonly Uint8Array[]
}

export interface LeafSessionsInit {
  readonly swarms: Swarms
  readonly links: Links
  readonly queries: Queries
  readonly publications: Publications
  readonly reader: LeafReader
  readonly load: Load
  readonly put: (block: Block) => Promise<void>
}

interface Known {
  readonly infoHash: Uint8Array
  readonly peer: Address | undefined
}

/** Gets leaves of files from the swarms of their torrents. Linked peers and publishers name the torrents. */
export class LeafSessions {
  readonly #init: LeafSessionsInit
  /** By the multihash of the root. */
  readonly #sessions = new Map<string, Promise<LeafSession | undefined>>()
  /** Infohashes of torrents whose bytes did not match the CID that they were named for. */
  readonly #refused = new Set<string>()
  #stopped = false

  constructor(init: LeafSessionsInit) {
    this.#init = init
  }

  stop(): void {
    this.#stopped = true
    for (const session of this.#sessions.values()) void session.then((open) => open?.end())
  }

  /** A leaf of a file. Returns `undefined` when there is no swarm of the file, or the file does not contain this leaf. */
  async leaf(cid: CID, want: LeafWant, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const name = bytesKey(want.root.multihash.bytes)
    for (;;) {
      const session = await this.#session(name, want)
      if (session === undefined) return undefined
      try {
        return await session.leaf(cid, signal)
      } catch {
        if (signal.aborted || this.#stopped) return undefined
        // The swarm was of no use, but there may be another one.
        this.#sessions.delete(name)
      }
    }
  }

  async #session(name: string, want: LeafWant): Promise<LeafSession | undefined> {
    const known = this.#sessions.get(name)
    if (known !== undefined) return await known
    if (this.#sessions.size >= maxSessions || this.#stopped) return undefined
    const opening = this.#open(name, want).catch(() => undefined)
    this.#sessions.set(name, opening)
    const session = await opening
    if (session === undefined) this.#sessions.delete(name)
    return session
  }

  async #open(name: string, want: LeafWant): Promise<LeafSession | undefined> {
    const { swarms, reader, put, load } = this.#init
    const file = await leavesOf(want.root, load)
    if (file === undefined || file.leaves.length < 2) return undefined
    const known = await this.#askFor(want, AbortSignal.timeout(searchTimeout))
    const first = known.find(({ infoHash }) => !this.#refused.has(hexOf(infoHash)))
    // If an import has it loaded, that import stores the same leaves.
    if (first === undefined || this.#stopped || swarms.has(first.infoHash)) return undefined
    const { infoHash } = first
    const peers = known.flatMap((each) => (hexOf(each.infoHash) === hexOf(infoHash) ? (each.peer ?? []) : []))
    const session = new LeafSession({
      file,
      reader,
      put,
      join: (store) => swarms.join({ infoHash, info: undefined, peers, store }),
      refuse: () => {
        if (this.#refused.size < maxRefused) this.#refused.add(hexOf(infoHash))
      },
      ended: () => this.#sessions.delete(name)
    })
    await session.join()
    return session
  }

  /** Infohashes of the file: those that linked peers name, and those that publishers have named in the DHT. */
  async #askFor({ root, publishers }: LeafWant, signal: AbortSignal): Promise<readonly Known[]> {
    const { links, queries, publications } = this.#init
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
}
