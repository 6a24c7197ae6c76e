import { compareBytes } from '@p2pl/core/backend'
import { DamageError, ForeignError } from '../errors.ts'
import type { OpenFile } from '../node.ts'
import { ByteReader } from './bytes.ts'
import { crc32c, masked } from './crc32c.ts'
import { userKey } from './manifest.ts'

const footerBytes = 48
/** After each block: its kind of compression and its checksum. */
const trailerBytes = 5
const magic = 0xdb4775248b80fb57n
/** Adjacent blocks are read together, up to this size. */
const runBytes = 1_048_576
/** The eighth byte from the end of a key says whether the entry is a value or a removal. */
const removal = 0
const mismatch = 'a block does not match its checksum'

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Values in a table that may be damaged, because their owner verifies them on each read. */
export interface Tolerance {
  /** The range of keys of such values. */
  readonly content: { readonly gte: Uint8Array; readonly lt: Uint8Array } | undefined
  /** Whether the record is the one that was stored under the key. */
  readonly isSound: (key: Uint8Array, record: Uint8Array) => boolean
}

/** Verifies the checksums of a table: its index, its filter, and each block that may hold more than content. */
export async function verifyTable(file: OpenFile, size: number, tolerance: Tolerance): Promise<void> {
  const footer = await readAt(file, size - footerBytes, footerBytes)
  const view = new DataView(footer.buffer, footer.byteOffset)
  if (view.getBigUint64(footerBytes - 8, true) !== magic) throw new DamageError('it does not end like a table')
  const reader = new ByteReader(footer)
  const [metaHandle, indexHandle] = [handleOf(reader), handleOf(reader)]
  const meta = entriesOf(await block(file, size, metaHandle))
  const index = entriesOf(await block(file, size, indexHandle))
  for (const { value } of meta) await block(file, size, handleOf(new ByteReader(value)))
  let run: Handle[] = []
  let before: Uint8Array | undefined
  for (const { key, value } of index) {
    const end = userKey(key)
    const own = handleOf(new ByteReader(value))
    // A block holds the keys after the end of the previous block, up to its own end.
    const skipped = before !== undefined && isContent(tolerance, before) && isContent(tolerance, end)
    before = end
    const from = run[0]
    if (from !== undefined && (skipped || own.offset + own.size - from.offset > runBytes)) {
      await verifyRun(file, size, run, tolerance)
      run = []
    }
    if (!skipped) run.push(own)
  }
  await verifyRun(file, size, run, tolerance)
}

async function verifyRun(file: OpenFile, size: number, run: readonly Handle[], tolerance: Tolerance): Promise<void> {
  const [first, last] = [run[0], run.at(-1)]
  if (first === undefined || last === undefined) return
  const length = last.offset + last.size + trailerBytes - first.offset
  if (length < 0 || first.offset + length > size) throw new DamageError('a block lies outside of its file')
  const bytes = await readAt(file, first.offset, length)
  for (const { offset, size: own } of run) {
    const at = offset - first.offset
    const whole = bytes.subarray(at, at + own + trailerBytes)
    if (!isSound(whole) && !isTolerable(whole.subarray(0, own), tolerance)) throw new DamageError(mismatch)
  }
}

/** Whether only content is damaged in the block. */
function isTolerable(bytes: Uint8Array, tolerance: Tolerance): boolean {
  if (tolerance.content === undefined) return false
  try {
    return entriesOf(bytes).every(({ key, value }) => {
      const own = userKey(key)
      return isContent(tolerance, own) || key.at(-8) === removal || tolerance.isSound(own, value)
    })
  } catch {
    return false
  }
}

function isContent({ content }: Tolerance, key: Uint8Array): boolean {
  return content !== undefined && compareBytes(key, content.gte) >= 0 && compareBytes(key, content.lt) < 0
}

async function block(file: OpenFile, size: number, { offset, size: own }: Handle): Promise<Uint8Array> {
  if (offset + own + trailerBytes > size) throw new DamageError('a block lies outside of its file')
  const bytes = await readAt(file, offset, own + trailerBytes)
  if (!isSound(bytes)) throw new DamageError(mismatch)
  if (bytes[own] !== 0) throw new ForeignError('a block is compressed')
  return bytes.subarray(0, own)
}

function isSound(blockAndTrailer: Uint8Array): boolean {
  const end = blockAndTrailer.length - 4
  const view = new DataView(blockAndTrailer.buffer, blockAndTrailer.byteOffset, blockAndTrailer.byteLength)
  return end >= 1 && masked(crc32c(blockAndTrailer.subarray(0, end))) === view.getUint32(end, true)
}

/** The entries of a block. Each key in a block omits the prefix that it shares with the previous key. */
function entriesOf(bytes: Uint8Array): { readonly key: Uint8Array; readonly value: Uint8Array }[] {
  if (bytes.length < 4) throw new DamageError('a block is cut off')
  const restarts = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true)
  const reader = new ByteReader(bytes.subarray(0, bytes.length - 4 - 4 * restarts))
  const entries: { key: Uint8Array; value: Uint8Array }[] = []
  let key = new Uint8Array()
  while (!reader.done) {
    const [shared, unshared, length] = [reader.varint(), reader.varint(), reader.varint()]
    const next = new Uint8Array(shared + unshared)
    next.set(key.subarray(0, shared))
    next.set(reader.take(unshared), shared)
    key = next
    entries.push({ key, value: reader.take(length) })
  }
  return entries
}

function handleOf(reader: ByteReader): Handle {
  return { offset: reader.varint(), size: reader.varint() }
}

async function readAt(file: OpenFile, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length;) {
    const { bytesRead } = position < 0 ? { bytesRead: 0 } : await file.read(bytes, at, length - at, position + at)
    if (bytesRead === 0) throw new DamageError('it is cut off')
    at += bytesRead
  }
  return bytes
}
