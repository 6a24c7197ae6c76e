import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { digestBytes, linkPrefix } from '../cid.ts'
import type { EntryFields } from './codec.ts'
import { keyOf } from './key.ts'
import type { Key } from './key.ts'

export const signatureBytes = 64
/** The signature is the last item: a byte string with a head of two bytes. */
export const signatureHead: Bytes = Uint8Array.of(0x58, signatureBytes)
export const linkBytes: number = linkPrefix.length + digestBytes

/** What parsing an entry finds, apart from its hash. */
export interface EntryForm {
  /** The number of parents, and the offset of the first link to one. */
  readonly parents: number
  readonly parentsAt: number
  readonly previous: number
  readonly clock: number
  readonly author: Bytes
  readonly payloadBytes: number
}

/**
 * An entry in its only encoding, with the values derived from it. Parents, payload and signature are extracted on
 * demand: for most entries that a view takes in they are never needed, and each view of the bytes costs more memory
 * than the hash in it.
 */
export class EntryRecord implements EntryFields {
  readonly bytes: Bytes
  readonly previous: number
  readonly clock: number
  readonly author: Bytes
  readonly digest: Bytes
  /** The digest as a map key. */
  readonly id: string
  /** The parents' digests as map keys. */
  readonly parentIds: readonly string[]
  readonly previousId: string | undefined
  readonly key: Key
  readonly payloadBytes: number
  readonly #parentsAt: number

  constructor(bytes: Bytes, form: EntryForm, digest: Bytes) {
    this.bytes = bytes
    this.previous = form.previous
    this.clock = form.clock
    this.author = form.author
    this.digest = digest
    this.id = mapKey(digest)
    this.#parentsAt = form.parentsAt
    const parentIds: string[] = []
    for (let i = 0; i < form.parents; i++) parentIds.push(mapKey(this.parent(i)))
    this.parentIds = parentIds
    this.previousId = parentIds[form.previous - 1]
    this.key = keyOf(form.clock, digest)
    this.payloadBytes = form.payloadBytes
  }

  /** A copy in its own memory. An entry that is kept must not keep the other entries of its leaf in memory. */
  owned(): EntryRecord {
    const { bytes, parentIds, previous, clock, author, payloadBytes } = this
    if (bytes.length === bytes.buffer.byteLength) return this
    const parents = parentIds.length
    const form = { parents, parentsAt: this.#parentsAt, previous, clock, author: author.slice(), payloadBytes }
    return new EntryRecord(bytes.slice(), form, this.digest)
  }

  /** The digest of a parent. */
  parent(i: number): Bytes {
    const end = this.#parentsAt + (i + 1) * linkBytes
    return this.bytes.subarray(end - digestBytes, end)
  }

  get parents(): Bytes[] {
    return this.parentIds.map((_, i) => this.parent(i))
  }

  get payload(): Bytes {
    const end = this.bytes.length - signatureHead.length - signatureBytes
    return this.bytes.subarray(end - this.payloadBytes, end)
  }

  get signature(): Bytes {
    return this.bytes.subarray(this.bytes.length - signatureBytes)
  }
}
