import { decode } from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { isP2plError, P2plError } from '../errors.ts'
import { codecs, readLimits } from './layout.ts'
import { fieldsOf } from './protobuf.ts'
import { decodeUnixfs, unixfsTypes } from './unixfs.ts'

/** A child of an inner node and how many bytes of content it stands for. */
export interface Child {
  readonly cid: CID
  readonly size: number
}

/** One block of a file: its own bytes come first, then those of its children in order. */
export interface FileNode {
  readonly kind: 'file'
  readonly data: Uint8Array
  readonly children: readonly Child[]
  /** Bytes of content in total. */
  readonly size: number
}

/** A block that is not part of a file. The caller decides what to do with it. */
export interface OtherNode {
  readonly kind: 'directory' | 'symlink' | 'block'
}

/** The number of the field `Data` of a dag-pb node. */
const dataField = 1

/** Reads a verified block as part of a file. Throws `INVALID_CONTENT` if the block contradicts itself or is over a limit. */
export function decodeNode(cid: CID, bytes: Uint8Array, operation: string): FileNode | OtherNode {
  if (cid.code === codecs.raw) return { kind: 'file', data: bytes, children: [], size: bytes.byteLength }
  if (cid.code !== codecs.dagPb) return { kind: 'block' }
  try {
    return decodeDagPb(cid, bytes, operation)
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    throw invalidContent(operation, cid, 'is no valid UnixFS node', cause)
  }
}

function decodeDagPb(cid: CID, bytes: Uint8Array, operation: string): FileNode | OtherNode {
  if (bytes.byteLength > readLimits.nodeBytes) {
    throw invalidContent(
      operation,
      cid,
      `is a node of ${bytes.byteLength} bytes; at most ${readLimits.nodeBytes} are read`
    )
  }
  const { data: encoded, links } = partsOf(bytes)
  if (encoded === undefined) throw invalidContent(operation, cid, 'is a dag-pb node without UnixFS data')
  const { type, data, blockSizes } = decodeUnixfs(encoded)
  if (type === unixfsTypes.directory || type === unixfsTypes.hamtShard) return { kind: 'directory' }
  if (type === unixfsTypes.symlink) return { kind: 'symlink' }
  if (type !== unixfsTypes.file && type !== unixfsTypes.raw) {
    throw invalidContent(operation, cid, `is UnixFS of type ${type}, which has no content`)
  }
  if (links > readLimits.links) {
    throw invalidContent(operation, cid, `has ${links} links; at most ${readLimits.links} are read`)
  }
  const node = decode(bytes)
  if (blockSizes.length !== node.Links.length) {
    throw invalidContent(operation, cid, `has ${node.Links.length} links but ${blockSizes.length} sizes of them`)
  }
  let size = data.byteLength
  const children = node.Links.map((link, index) => {
    const childSize = blockSizes[index] as number
    size += childSize
    return { cid: link.Hash, size: childSize }
  })
  if (!Number.isSafeInteger(size)) throw invalidContent(operation, cid, `claims a size of ${size} bytes`)
  return { kind: 'file', data, children, size }
}

/** The UnixFS part and the number of links of a dag-pb node. Decoding all links of a hostile node would take seconds. */
function partsOf(bytes: Uint8Array): { readonly data: Uint8Array | undefined; readonly links: number } {
  let data: Uint8Array | undefined
  let links = 0
  for (const { number, start, end } of fieldsOf(bytes)) {
    if (number === dataField) data = bytes.subarray(start, end)
    else links++
  }
  return { data, links }
}

export function invalidContent(operation: string, cid: CID, what: string, cause?: unknown): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation, message: `${cid.toString()} ${what}`, cause })
}

export function notAFile(operation: string, cid: CID, kind: 'directory' | 'symlink'): P2plError {
  return new P2plError({
    code: 'UNSUPPORTED',
    operation,
    message: `${cid.toString()} is a UnixFS ${kind}, not a file: read it with unixfs(peer) of the package @p2pl/unixfs`
  })
}
