import { concatBytes, type Pin } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'

// Keys of the table of pins, by their first byte.
const prefix = { root: 0x72, count: 0x62, list: 0x6c, open: 0x6f } as const

export const rootPrefix: Uint8Array = Uint8Array.of(prefix.root)
export const openPrefix: Uint8Array = Uint8Array.of(prefix.open)

/** A pin. */
export function rootKey(root: CID): Uint8Array {
  return concatBytes(Uint8Array.of(prefix.root), root.multihash.bytes)
}

/** The count of lists that name a block. */
export function countKey(multihash: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(prefix.count), multihash)
}

/** The name of the list of blocks that a pin holds. A direct and a recursive pin of one root have separate lists. */
export function listName(root: CID, recursive: boolean): Uint8Array {
  return concatBytes(Uint8Array.of(recursive ? 1 : 0), root.multihash.bytes)
}

/** A part of a list; without `part`, the common prefix of the keys of all parts. */
export function listKey(name: Uint8Array, part?: number): Uint8Array {
  const key = concatBytes(Uint8Array.of(prefix.list), name)
  if (part === undefined) return key
  const whole = new Uint8Array(key.length + 4)
  whole.set(key)
  new DataView(whole.buffer).setUint32(key.length, part)
  return whole
}

/** Marks a list without a pin: it is being made or removed. */
export function openKey(name: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(prefix.open), name)
}

export function nameOfOpen(key: Uint8Array): Uint8Array {
  return key.slice(1)
}

export function encodePin({ cid, recursive }: Pin): Uint8Array {
  return concatBytes(Uint8Array.of(recursive ? 1 : 0), cid.bytes)
}

export function decodePin(value: Uint8Array): Pin {
  return { cid: CID.decode(value.slice(1)), recursive: value[0] === 1 }
}

export function encodeCount(count: number): Uint8Array {
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, count)
  return value
}

export function decodeCount(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : new DataView(value.buffer, value.byteOffset, 4).getUint32(0)
}

/** Concatenates multihashes, each after its length. */
export function encodeList(multihashes: readonly Uint8Array[]): Uint8Array {
  const list = new Uint8Array(multihashes.reduce((sum, { length }) => sum + 1 + length, 0))
  let at = 0
  for (const multihash of multihashes) {
    list[at] = multihash.length
    list.set(multihash, at + 1)
    at += 1 + multihash.length
  }
  return list
}

export function decodeList(list: Uint8Array): Uint8Array[] {
  const multihashes: Uint8Array[] = []
  for (let at = 0; at < list.length;) {
    const length = list[at] as number
    multihashes.push(list.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
  return multihashes
}
