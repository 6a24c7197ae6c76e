import { decode, encode } from '@ipld/dag-pb'
import { invalidArgument, P2plError } from '@p2pl/core/backend'
import type { Block } from '@p2pl/core'
import { cidOf, codecs } from '@p2pl/core/content'
import { UnixFS } from 'ipfs-unixfs'
import type { DirectoryEntry } from './types.ts'

export type Metadata = Pick<DirectoryEntry, 'mode' | 'mtime'>

/** `mode` and `mtime` in the form of the libraries. */
export function metadata({ mode, mtime }: Metadata): {
  mode?: number
  mtime?: { secs: bigint; nsecs?: number }
} {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(mtime === undefined
      ? {}
      : { mtime: mtime.nsecs === undefined ? { secs: mtime.secs } : { secs: mtime.secs, nsecs: mtime.nsecs } })
  }
}

/** The root of a file with mode and mtime added. A single leaf moves into a node; an inner node gets two more fields. */
export async function withMetadata(root: Block, from: Metadata): Promise<Block> {
  const extra = metadata(from)
  const { Data, Links } =
    root.cid.code === codecs.raw
      ? { Data: new UnixFS({ type: 'file', data: root.bytes, ...extra }).marshal(), Links: [] }
      : extended(root.bytes, extra)
  const bytes = encode({ Data, Links })
  return { cid: await cidOf(codecs.dagPb, bytes), bytes }
}

/** Existing bytes stay unchanged: the library would write sizes above 2 GiB as garbage. */
function extended(bytes: Uint8Array, extra: ReturnType<typeof metadata>) {
  const { Data = new Uint8Array(0), Links } = decode(bytes)
  const fields = new UnixFS({ type: 'file', ...extra }).marshal().subarray(emptyFileBytes)
  const all = new Uint8Array(Data.byteLength + fields.byteLength)
  all.set(Data)
  all.set(fields, Data.byteLength)
  return { Data: all, Links }
}

/** Type and size 0: the bytes before mode and mtime if a file has neither data nor links. */
const emptyFileBytes = 4

export function checkMetadata({ path, mode, mtime }: DirectoryEntry, operation: string): void {
  if (mode !== undefined && (!Number.isInteger(mode) || mode < 0 || mode > 0o7777)) {
    throw invalidArgument(operation, `mode of ${JSON.stringify(path)} must be from 0 to 0o7777, not ${String(mode)}`)
  }
  if (mtime === undefined) return
  const { secs, nsecs = 0 } = mtime
  if (typeof secs !== 'bigint' || !Number.isInteger(nsecs) || nsecs < 0 || nsecs > 999_999_999) {
    throw invalidArgument(
      operation,
      `mtime of ${JSON.stringify(path)} must be { secs: bigint, nsecs?: 0 to 999,999,999 }`
    )
  }
  if (secs >= 2n ** 31n && secs < 2n ** 32n) {
    throw new P2plError({
      code: 'UNSUPPORTED',
      operation,
      message: `mtime of ${JSON.stringify(path)} lies after 2038-01-19, which ipfs-unixfs 13 cannot encode: leave it out`
    })
  }
}
