import { decode } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { isP2plError, P2plError } from '../errors.ts'
import { codecs, readLimits } from './layout.ts'
import { fieldsOf } from './protobuf.ts'

/** A child of an inner node and how many bytes of content it stands for. */
export interface Child {
  readonly cid: CID
  readonly size: number
}

/** What a block of a file says: bytes of its own, then those of its children in order. */
export interface FileNode {
  readonly kind: 'file'
  readonly data: Uint8Array
  readonly children: readonly Child[]
  /** Bytes of content in all. */
  readonly size: number
}

/** What is no file, or no bytes: the caller decides. */
export interface OtherNode {
  readonly kind: 'directory' | 'symlink' | 'block'
}

const none = new Uint8Array(0)
/** Numbers of fields: `Data` of a dag-pb node; of UnixFS, the last one, and those that are bytes or messages. */
const dataField = 1
const lastUnixfsField = 8
const unixfsDelimited: ReadonlySet<number> = new Set([2, 8])

/** Reads a verified block as part of a file. Throws `INVALID_CONTENT` where it contradicts itself or is over a limit. */
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
  assertFewFields(cid, encoded, operation)
  const unixfs = UnixFS.unmarshal(encoded)
  if (unixfs.isDirectory()) return { kind: 'directory' }
  if (unixfs.type === 'symlink') return { kind: 'symlink' }
  if (unixfs.type !== 'file' && unixfs.type !== 'raw') {
    throw invalidContent(operation, cid, `is UnixFS of type ${unixfs.type}, which has no content`)
  }
  if (links > readLimits.links) {
    throw invalidContent(operation, cid, `has ${links} links; at most ${readLimits.links} are read`)
  }
  const node = decode(bytes)
  if (unixfs.blockSizes.length !== node.Links.length) {
    throw invalidContent(operation, cid, `has ${node.Links.length} links but ${unixfs.blockSizes.length} sizes of them`)
  }
  const data = unixfs.data ?? none
  let size = data.byteLength
  const children = node.Links.map((link, index) => {
    const childSize = Number(unixfs.blockSizes[index])
    size += childSize
    return { cid: link.Hash, size: childSize }
  })
  if (!Number.isSafeInteger(size)) throw invalidContent(operation, cid, `claims a size of ${size} bytes`)
  return { kind: 'file', data, children, size }
}

/** The UnixFS part and the number of links of a dag-pb node. Decoding the links of a hostile one would take seconds. */
function partsOf(bytes: Uint8Array): { readonly data: Uint8Array | undefined; readonly links: number } {
  let data: Uint8Array | undefined
  let links = 0
  for (const { number, start, end } of fieldsOf(bytes)) {
    if (number === dataField) data = bytes.subarray(start, end)
    else links++
  }
  return { data, links }
}

/** Throws unless the UnixFS part has few fields, of the types that its decoder takes them for. */
function assertFewFields(cid: CID, data: Uint8Array, operation: string): void {
  let fields = 0
  for (const { number, wireType } of fieldsOf(data)) {
    const delimited = unixfsDelimited.has(number)
    if (number <= lastUnixfsField && (wireType === 2) !== delimited) {
      throw invalidContent(operation, cid, `has a field ${number} of wire type ${wireType}`)
    }
    if (++fields > readLimits.links + lastUnixfsField) {
      throw invalidContent(operation, cid, `has more than ${readLimits.links} sizes of links`)
    }
  }
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
