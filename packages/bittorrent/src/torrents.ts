import { abortError, throwIfAborted, untilAborted, type AbortOptions } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { Engine } from './engine/engine.ts'
import { typed } from './errors.ts'
import { formatPublisher, parsePublisher } from './peers.ts'
import type { Settings } from './settings.ts'
import { hexOf } from './tools/bytes.ts'
import { backendName, failure } from './tools/failure.ts'
import { hashCodes } from './tools/hashes.ts'
import type { TorrentCalls } from './torrent-calls.ts'
import { formatMagnet } from './torrent/metainfo/magnet.ts'

/** The calls of the backend beyond the port. `engine` returns the running engine. */
export function torrentCalls(engine: () => Engine | undefined, { trackers }: Settings): TorrentCalls {
  const enter = (operation: string): Engine => {
    const running = engine()
    if (running !== undefined) return running
    const message = `${operation}: the backend "${backendName}" does not run: call start() first`
    throw failure({ code: 'NOT_RUNNING', operation, message })
  }
  /**
   * As `defineBackend` does for the calls of the port: nothing stays pending after the signal or the end of the
   * backend.
   */
  const call = async <T>(
    operation: string,
    options: AbortOptions | undefined,
    work: (engine: Engine, signal: AbortSignal) => Promise<T>
  ): Promise<T> => {
    const { signal } = options ?? {}
    throwIfAborted(operation, signal, backendName)
    const running = enter(operation)
    const { life } = running
    const both = signal === undefined ? life : AbortSignal.any([signal, life])
    try {
      return await untilAborted(work(running, both), both)
    } catch (error) {
      if (signal?.aborted === true) throw abortError(operation, signal, backendName)
      if (life.aborted) enter(operation)
      throw typed(operation, error)
    }
  }
  return {
    magnet: async (cid, options) =>
      await call('magnet', options, async ({ overlay, stores, torrents }, signal) => {
        const root = rootOf(cid)
        if (!(await stores.blocks.has(root.multihash.bytes)))
          throw failure({ code: 'NOT_FOUND', message: `${root.toString()} is not stored here: get it first` })
        const info = await torrents.seeds.add(root, signal)
        if (info !== undefined) return formatMagnet(info, overlay.addresses(), trackers)
        const message = `${root.toString()} is not a file of raw leaves of 1 MiB that is wholly stored here`
        throw failure({ code: 'UNSUPPORTED', message })
      }),
    importTorrent: async (source, options) =>
      await call('importTorrent', options, ({ torrents }, signal) =>
        torrents.imports.import(source, options?.onProgress, signal)
      ),
    publisher: () => formatPublisher(enter('publisher').torrents.publications.publicKey),
    findTorrent: async (cid, publisher, options) =>
      await call('findTorrent', options, async ({ torrents }, signal) => {
        const root = rootOf(cid)
        const key = parsePublisher(publisher)
        if (key === undefined) {
          const message =
            'a publisher is given as urn:btpk: and 64 hexadecimal digits, as publisher() of its backend gives it'
          throw failure({ code: 'INVALID_ARGUMENT', message })
        }
        const infoHash = await torrents.publications.find(key, root.multihash.bytes, signal)
        if (infoHash !== undefined) return `magnet:?xt=urn:btih:${hexOf(infoHash)}`
        const message = `nobody who can be asked knows a torrent of ${root.toString()} by ${publisher}`
        throw failure({ code: 'NOT_FOUND', message })
      })
  }
}

function rootOf(value: CID): CID {
  const cid = CID.asCID(value)
  if (cid === null) throw failure({ code: 'INVALID_ARGUMENT', message: `a CID is needed, not ${typeof value}` })
  if (hashCodes.includes(cid.multihash.code)) return cid
  const message = `blocks are addressed by sha2-256 or sha2-512, not by multihash 0x${cid.multihash.code.toString(16)}`
  throw failure({ code: 'UNSUPPORTED', message })
}
