import { bytesKey, compactBytes, concatBytes } from '@p2pl/core/backend'
import { fromText } from './bytes.ts'

export type Bencoded = number | Uint8Array | readonly Bencoded[] | { readonly [key: string]: Bencoded }

/** The folder trees of torrents with both versions are deep. */
const maxDepth = 64
/** The most values in one piece of bencoding. Reading more would delay everything else. */
const maxValues = 250_000
const maxKeyBytes = 1_024

/** The canonical form (BEP 3): keys in byte order. The text of a key holds one byte per character. */
export function bencode(value: Bencoded): Uint8Array {
  const parts: Uint8Array[] = []
  write(value, parts)
  return concatBytes(...parts)
}

function write(value: Bencoded, parts: Uint8Array[]): void {
  if (typeof value === 'number') parts.push(fromText(`i${value}e`))
  else if (value instanceof Uint8Array) parts.push(fromText(`${value.byteLength}:`), value)
  else if (isList(value)) {
    parts.push(fromText('l'))
    for (const item of value) write(item, parts)
    parts.push(fromText('e'))
  } else {
    parts.push(fromText('d'))
    for (const key of Object.keys(value).toSorted()) {
      parts.push(fromText(`${key.length}:${key}`))
      write(value[key] as Bencoded, parts)
    }
    parts.push(fromText('e'))
  }
}

export function isDictionary(value: Bencoded): value is { readonly [key: string]: Bencoded } {
  return typeof value === 'object' && !isList(value) && !(value instanceof Uint8Array)
}

export function isList(value: Bencoded): value is readonly Bencoded[] {
  return Array.isArray(value)
}

/** Whether it can be a number of bytes. */
export function isSize(value: Bencoded | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/**
 * The value at the start of the bytes, and where it ends. The keys of a dictionary may come in any order, because
 * strangers write them so, but each key only once. Throws `RangeError` for anything else.
 */
export function bdecode(bytes: Uint8Array): { value: Bencoded; end: number } {
  const reader = { bytes, at: 0, values: 0 }
  const value = read(reader, 0)
  return { value, end: reader.at }
}

/** The unchanged bytes of one value in the dictionary at the start of the bytes. Throws like `bdecode`. */
export function entryOf(bytes: Uint8Array, key: string): Uint8Array | undefined {
  const reader = { bytes, at: 0, values: 0 }
  if (bytes[reader.at++] !== letter.d) throw new RangeError('it is not a dictionary')
  let found: Uint8Array | undefined
  while (bytes[reader.at] !== letter.e) {
    const name = keyOf(reader)
    const start = reader.at
    read(reader, 1)
    if (name !== key) continue
    if (found !== undefined) throw new RangeError(`the key "${key}" stands there twice`)
    found = bytes.subarray(start, reader.at)
  }
  return found
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
  values: number
}

const letter = { d: 0x64, e: 0x65, i: 0x69, l: 0x6c, colon: 0x3a } as const

function read(reader: Reader, depth: number): Bencoded {
  if (depth > maxDepth) throw new RangeError('it is nested too deeply')
  if (++reader.values > maxValues) throw new RangeError('it has too many values')
  const { bytes } = reader
  switch (bytes[reader.at]) {
    case letter.i:
      reader.at++
      return number(reader, letter.e)
    case letter.l: {
      reader.at++
      const items: Bencoded[] = []
      while (bytes[reader.at] !== letter.e) items.push(read(reader, depth + 1))
      reader.at++
      return items
    }
    case letter.d: {
      reader.at++
      const entries: Record<string, Bencoded> = Object.create(null)
      while (bytes[reader.at] !== letter.e) {
        const key = keyOf(reader)
        if (key in entries) throw new RangeError(`the key "${key.slice(0, 40)}" stands there twice`)
        entries[key] = read(reader, depth + 1)
      }
      reader.at++
      return entries
    }
    default:
      return string(reader)
  }
}

function keyOf(reader: Reader): string {
  const key = string(reader)
  if (key.byteLength > maxKeyBytes) throw new RangeError('a key is too long')
  return bytesKey(key)
}

function string(reader: Reader): Uint8Array {
  const length = number(reader, letter.colon)
  const end = reader.at + length
  if (length < 0 || end > reader.bytes.byteLength) throw new RangeError('a string is cut off')
  const value = compactBytes(reader.bytes.subarray(reader.at, end))
  reader.at = end
  return value
}

function number(reader: Reader, until: number): number {
  const end = reader.bytes.indexOf(until, reader.at)
  if (end === -1 || end - reader.at > 20) throw new RangeError('a number is cut off')
  const text = bytesKey(reader.bytes.subarray(reader.at, end))
  if (!/^-?[0-9]+$/.test(text)) throw new RangeError('a number is wrong')
  reader.at = end + 1
  // The number may not be exact, so sizes need a check.
  return Number(text)
}
