import { concatBytes, fromText, plain, textOf } from '../bytes.ts'

export type Bencoded = number | Uint8Array | readonly Bencoded[] | { readonly [key: string]: Bencoded }

const maxDepth = 16

/** The canonical form (BEP 3): keys in the order of their bytes. Texts of keys hold one byte per character. */
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

function isList(value: Bencoded): value is readonly Bencoded[] {
  return Array.isArray(value)
}

/** The value at the start of the bytes, and where it ends. Throws `RangeError` for what is not bencoded. */
export function bdecode(bytes: Uint8Array): { value: Bencoded; end: number } {
  const reader = { bytes, at: 0 }
  const value = read(reader, 0)
  return { value, end: reader.at }
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
}

const letter = { d: 0x64, e: 0x65, i: 0x69, l: 0x6c, colon: 0x3a } as const

function read(reader: Reader, depth: number): Bencoded {
  if (depth > maxDepth) throw new RangeError('nested too deeply')
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
        const key = textOf(string(reader))
        entries[key] = read(reader, depth + 1)
      }
      reader.at++
      return entries
    }
    default:
      return string(reader)
  }
}

function string(reader: Reader): Uint8Array {
  const length = number(reader, letter.colon)
  const end = reader.at + length
  if (length < 0 || end > reader.bytes.byteLength) throw new RangeError('a string is cut off')
  const value = plain(reader.bytes.subarray(reader.at, end))
  reader.at = end
  return value
}

function number(reader: Reader, until: number): number {
  const end = reader.bytes.indexOf(until, reader.at)
  if (end === -1 || end - reader.at > 20) throw new RangeError('a number is cut off')
  const text = textOf(reader.bytes.subarray(reader.at, end))
  const value = Number(text)
  if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(value)) throw new RangeError('a number is wrong')
  reader.at = end + 1
  return value
}
