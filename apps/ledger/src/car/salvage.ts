import { cborCid } from '../cbor-cid.ts'
import type { Block } from './car-file.ts'

/** An entry has an author, a signature and a payload, so a shorter byte string (bytes) is not an entry. */
const leastEntryBytes = 100

/**
 * The entries in a truncated block. A leaf of the index holds whole entries one after another, as byte strings, and
 * each entry is signed. Byte strings that are not entries are refused later, like any other block.
 */
export function* wholeEntries(cut: Uint8Array): Generator<Block> {
  for (const bytes of byteStrings(cut)) {
    if (bytes.byteLength >= leastEntryBytes) yield { cid: cborCid(bytes), bytes }
  }
}

/** The complete byte strings in the first part of some CBOR data, at any depth. */
function* byteStrings(cbor: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(cbor.buffer, cbor.byteOffset, cbor.byteLength)
  for (let at = 0; at < cbor.byteLength;) {
    const head = view.getUint8(at)
    const [type, info] = [head >> 5, head & 31]
    const extra = info < 24 ? 0 : info < 28 ? 1 << (info - 24) : -1
    if (extra < 0 || at + 1 + extra > cbor.byteLength) return
    at += 1 + extra
    // For arrays, maps, tags and numbers only the head is skipped.
    if (type !== 2 && type !== 3) continue
    const length = lengthOf(view, at - extra, extra, info)
    if (at + length > cbor.byteLength) return
    if (type === 2) yield cbor.subarray(at, at + length)
    at += length
  }
}

function lengthOf(view: DataView, at: number, extra: number, info: number): number {
  if (extra === 0) return info
  if (extra === 1) return view.getUint8(at)
  if (extra === 2) return view.getUint16(at)
  return extra === 4 ? view.getUint32(at) : Number(view.getBigUint64(at))
}
