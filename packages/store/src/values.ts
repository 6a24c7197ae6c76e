import { compareBytes } from '@p2pl/core/backend'
import { DamageError, type StoreErrors } from './errors.ts'
import type { Records } from './record.ts'
import type { Bytes, Operation, StoreOptions } from './types.ts'
import { fileBytes, type ValueFiles } from './value-files.ts'

/** What one write stores in the database and in files. */
export interface EncodedWrite {
  readonly operations: readonly Operation[]
  /** Bytes for the database. */
  readonly bytes: number
  /** Whether the write only removes. */
  readonly removes: boolean
  /** Records that go to files, by the keys of their values. */
  readonly large: ReadonlyMap<Uint8Array, Uint8Array>
  /** Removed keys that may have files. */
  readonly dropped: readonly Uint8Array[]
}

interface ValuesParts {
  readonly records: Records
  readonly errors: StoreErrors
  readonly files: ValueFiles | undefined
  /** Keys whose values may be in files. */
  readonly content: StoreOptions['content']
}

/** Values with their checksums, in the database or in files. */
export class Values {
  readonly #parts: ValuesParts

  constructor(parts: ValuesParts) {
    this.#parts = parts
  }

  get files(): ValueFiles | undefined {
    return this.#parts.files
  }

  encode(operations: readonly Operation[]): EncodedWrite {
    const { records, files } = this.#parts
    const large = new Map<Uint8Array, Uint8Array>()
    const dropped: Uint8Array[] = []
    let bytes = 0
    let removes = true
    const encoded = operations.map((operation): Operation => {
      const { key } = operation
      bytes += key.length
      if (operation.type === 'del') {
        if (files !== undefined && this.#isContent(key)) dropped.push(key)
        return operation
      }
      removes = false
      let value = records.encode(key, operation.value)
      if (files !== undefined && operation.value.length >= fileBytes && this.#isContent(key)) {
        large.set(key, value)
        value = records.encode(key, encodeSize(value.length), true)
      }
      bytes += value.length
      return { type: 'put', key, value }
    })
    return { operations: encoded, bytes, removes, large, dropped }
  }

  /**
   * The value. Content is returned as stored, because its owner verifies it. Any other value is verified, with
   * `STORAGE` when it is damaged.
   */
  read(key: Uint8Array, stored: Uint8Array): Bytes | Promise<Bytes> {
    if (this.#isContent(key)) return this.#readContent(key, stored)
    return this.#decode(key, stored)
  }

  /** The value, verified. */
  async readSound(key: Uint8Array, stored: Uint8Array): Promise<Bytes> {
    const { records, files } = this.#parts
    const value = this.#decode(key, stored)
    if (!records.inFile(stored)) return value
    const record = await files?.get(key)
    if (record === undefined) throw this.#damaged()
    return this.#decode(key, record)
  }

  /** The length of the value in bytes. For a value in a file it looks only at the size of the file. */
  async length(key: Uint8Array, stored: Uint8Array): Promise<number> {
    const { records, files } = this.#parts
    const value = this.#decode(key, stored)
    if (!records.inFile(stored)) return value.length
    const expected = decodeSize(value)
    if ((await files?.size(key)) !== expected) throw this.#damaged()
    return expected - records.overhead
  }

  #readContent(key: Uint8Array, stored: Uint8Array): Bytes | Promise<Bytes> {
    const { records, files } = this.#parts
    if (!records.inFile(stored) || files === undefined) return records.strip(stored)
    return files.get(key).then((record) => records.strip(record ?? stored))
  }

  #decode(key: Uint8Array, stored: Uint8Array): Bytes {
    const value = this.#parts.records.decode(key, stored)
    if (value === undefined) throw this.#damaged()
    return value
  }

  #isContent(key: Uint8Array): boolean {
    const { content } = this.#parts
    return content !== undefined && compareBytes(key, content.gte) >= 0 && compareBytes(key, content.lt) < 0
  }

  #damaged(): Error {
    return this.#parts.errors.damaged('read', new DamageError('a value is not what was written'))
  }
}

function encodeSize(size: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size))
  return bytes
}

function decodeSize(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
}
