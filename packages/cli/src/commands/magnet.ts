import { readFile } from 'node:fs/promises'
import type { Backends } from '@p2pl/config'
import { P2plError } from '@p2pl/core'
import { CID } from 'multiformats/cid'
import type { CommandContext } from '../context.ts'
import { serve, type Session, withPeer } from '../session.ts'
import { oneLine } from '../tools/printable.ts'

interface Options {
  readonly stay?: boolean | undefined
}

/** The calls that a backend on BitTorrent has beyond the port. */
interface TorrentCalls {
  magnet(cid: CID, options: { signal: AbortSignal }): Promise<string>
  importTorrent(
    source: string | Uint8Array,
    options: { signal: AbortSignal; onProgress: (progress: { bytes: number; total: number }) => void }
  ): Promise<{ cid: CID; name: string; size: number }>
}

/** Exports stored content as a magnet link, or imports the file of a link or a `.torrent` file. */
export async function magnet(context: CommandContext, source: string, { stay }: Options): Promise<void> {
  const stays = stay === true ? { command: 'magnet', topics: [] } : undefined
  await withPeer(context, { need: 'store', stays }, async (session) => {
    const calls = callsOf(session.backends, session.name)
    const cid = cidOf(source)
    await (cid === undefined ? take(context, session, calls, source) : give(context, calls, cid))
    if (stay === true) await serve(context, session.peer)
  })
}

async function give({ output, signal }: CommandContext, calls: TorrentCalls, cid: CID): Promise<void> {
  const link = await calls.magnet(cid, { signal })
  await output.item({ cid: String(cid), magnet: link }, () => link)
}

async function take(
  { output, signal }: CommandContext,
  { peer }: Session,
  calls: TorrentCalls,
  source: string
): Promise<void> {
  const show = output.progress('import', 'bytes')
  const torrent = source.startsWith('magnet:') ? source : new Uint8Array(await readFile(source))
  const { cid, name, size } = await calls
    .importTorrent(torrent, { signal, onProgress: ({ bytes, total }) => show(bytes, total) })
    .finally(() => show())
  await peer.data.pin(cid, { signal })
  await output.item({ cid: String(cid), name, size }, () => `${String(cid)}  ${oneLine(name)}`)
}

function callsOf(backends: Backends, name: string): TorrentCalls {
  const data = 'backend' in backends ? backends.backend : backends.data
  if ('magnet' in data && 'importTorrent' in data) return data as unknown as TorrentCalls
  const message = `the backend "${name}" knows no torrents: use --backend bittorrent`
  throw new P2plError({ code: 'UNSUPPORTED', backend: name, operation: 'magnet', message })
}

function cidOf(text: string): CID | undefined {
  try {
    return CID.parse(text)
  } catch {
    return undefined
  }
}
