import { decode, type PBLink } from '@ipld/dag-pb'
import { P2plError } from '@p2pl/core'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import type { Mtime, Stat } from './types.ts'

const codecs = { identity: 0x00, raw: 0x55, dagPb: 0x70 } as const
const maxNodeBytes = 4 * 1024 * 1024
const maxLinks = 65_536
/** The fan-outs of sharded directories in practice. */
const fanouts: ReadonlySet<bigint> = new Set([8n, 16n, 32n, 64n, 128n, 256n, 512n, 1024n])

/** The decoded content of one verified block. */
export interface Node {
  readonly bytes: Uint8Array
  readonly stat: Stat
  /** For a directory, or a part of one. */
  readonly links: readonly PBLink[]
  /** For a sharded directory, or a part of one. */
  readonly fanout?: number | undefined
}

/** What the codec alone tells: a block that is not dag-pb is complete content. */
export function kindByCodec(cid: CID): 'file' | 'block' | undefined {
  if (cid.code === codecs.dagPb) return undefined
  return cid.code === codecs.raw || cid.code === codecs.identity ? 'file' : 'block'
}

/** Throws `INVALID_CONTENT` if the block is not UnixFS, or exceeds a limit. */
export function decodeNode(cid: CID, bytes: Uint8Array, operation: string): Node {
  const kind = kindByCodec(cid)
  if (kind !== undefined) return { bytes, stat: { cid, kind, size: bytes.byteLength }, links: [] }
  if (bytes.byteLength > maxNodeBytes)
    throw invalidNode(cid, operation, `has ${bytes.byteLength} bytes; at most ${maxNodeBytes} are read`)
  let links: readonly PBLink[]
  let unixfs: UnixFS
  try {
    const node = decode(bytes)
    if (node.Data === undefined) throw new Error('it has no UnixFS data')
    links = node.Links
    unixfs = UnixFS.unmarshal(node.Data)
  } catch (cause) {
    throw invalidNode(cid, operation, 'is no valid UnixFS node', cause)
  }
  if (links.length > maxLinks)
    throw invalidNode(cid, operation, `has ${links.length} links; at most ${maxLinks} are read`)
  if (unixfs.type === 'metadata') throw invalidNode(cid, operation, 'is UnixFS metadata without content')
  if (unixfs.fileSize() > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalidNode(cid, operation, `claims a size of ${String(unixfs.fileSize())} bytes`)
  const stat = describe(cid, unixfs)
  if (!unixfs.isDirectory()) return { bytes, stat, links: [] }
  if (unixfs.type === 'directory') return { bytes, stat, links }
  if (!fanouts.has(unixfs.fanout ?? 0n))
    throw invalidNode(
      cid,
      operation,
      `is a sharded directory with a fan-out of ${String(unixfs.fanout)}; powers of two from 8 to 1,024 are read`
    )
  return { bytes, stat, links, fanout: Number(unixfs.fanout) }
}

export function invalidNode(cid: CID, operation: string, what: string, cause?: unknown): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation, message: `${cid.toString()} ${what}`, cause })
}

function describe(cid: CID, unixfs: UnixFS): Stat {
  const extra = metadataOf(unixfs)
  if (unixfs.isDirectory()) return { cid, kind: 'directory', ...extra }
  if (unixfs.type !== 'symlink') return { cid, kind: 'file', size: Number(unixfs.fileSize()), ...extra }
  const { data = new Uint8Array(0) } = unixfs
  return { cid, kind: 'symlink', size: data.byteLength, target: new TextDecoder().decode(data), ...extra }
}

function metadataOf(unixfs: UnixFS): { mode?: number; mtime?: Mtime } {
  // The library fills in a mode if none is stored. Its default is treated as no mode.
  const usual = unixfs.isDirectory() ? 0o755 : 0o644
  return {
    ...(unixfs.mode === undefined || unixfs.mode === usual ? {} : { mode: unixfs.mode }),
    ...(unixfs.mtime === undefined ? {} : { mtime: unixfs.mtime })
  }
}
