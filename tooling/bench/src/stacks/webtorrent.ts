import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import type { OpenStack } from './stack.ts'

interface Torrent extends EventEmitter {
  readonly infoHash: string
  readonly length: number
  readonly progress: number
  addPeer(peer: string): boolean
}

interface Client extends EventEmitter {
  readonly torrentPort: number
  readonly torrents: readonly Torrent[]
  seed(bytes: Buffer, options: object, onSeed: (torrent: Torrent) => void): void
  add(infoHash: string, options: object): Torrent
  remove(torrent: Torrent, options: object, done: () => void): void
}

type Done = (error: Error | null, bytes?: Uint8Array) => void

/** Keeps pieces in memory, as p2pl does here too. */
class MemoryStore {
  readonly #pieces: Uint8Array[] = []

  put(index: number, bytes: Uint8Array, done: Done): void {
    this.#pieces[index] = bytes
    queueMicrotask(() => done(null))
  }

  get(index: number, range: { offset?: number; length?: number } | Done | null, then?: Done): void {
    const done = (typeof range === 'function' ? range : then) as Done
    const piece = this.#pieces[index]
    const { offset = 0, length } = typeof range === 'object' && range !== null ? range : {}
    if (piece === undefined) queueMicrotask(() => done(new Error('no such piece')))
    else queueMicrotask(() => done(null, piece.subarray(offset, length === undefined ? undefined : offset + length)))
  }

  close(done: Done): void {
    done(null)
  }

  destroy(done: Done): void {
    this.#pieces.length = 0
    done(null)
  }
}

const closed = { dht: false, tracker: false, lsd: false, natUpnp: false, natPmp: false, utp: false, utPex: false }
const options = { announce: [], store: MemoryStore, storeCacheSlots: 0 }

/** The client, which is told where its peers are. */
const webtorrent: OpenStack = async () => {
  const { default: WebTorrent } = (await import('webtorrent')) as unknown as {
    default: new (options: object) => Client
  }
  const client = new WebTorrent({ ...closed, webSeeds: false })
  if (client.torrentPort === 0) await once(client, 'listening')
  const known: string[] = []
  let files = 0

  return {
    self: async () => `127.0.0.1:${client.torrentPort}`,
    connect: async (to) => void known.push(to as string),
    content: {
      add: (bytes) =>
        new Promise((resolve) => {
          // Without different names, all torrents would be the same.
          const seeding = { ...options, name: `file-${files++}`, pieceLength: 1_048_576 }
          client.seed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), seeding, ({ infoHash }) =>
            resolve(infoHash)
          )
        }),
      get: async (infoHash) => {
        const torrent = client.add(infoHash, options)
        const done = once(torrent, 'done')
        await once(torrent, 'infoHash')
        for (const peer of known) torrent.addPeer(peer)
        await done
        return torrent.length
      },
      forget: async () => {
        await Promise.all(
          [...client.torrents].map(
            (torrent) => new Promise<void>((resolve) => client.remove(torrent, { destroyStore: true }, resolve))
          )
        )
      }
    }
  }
}

export default webtorrent
