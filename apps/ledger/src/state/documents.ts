import { CID } from 'multiformats/cid'
import type { DocumentRecord } from '../rules/payload.ts'
import { bytesOf, type Key, textOf } from './keys.ts'
import type { DocumentRow } from './rows.ts'
import type { Tables } from './tables.ts'

/** A content that this node has no copy of, as one author recorded it. */
export interface Claim {
  readonly cid: CID
  readonly author: string
  /** The size in bytes according to the author. */
  readonly size: number
}

type DocumentTables = Pick<Tables, 'firsts' | 'documents' | 'claims' | 'missing'>

/** The contents that records name, and which of them this node has no copy of. */
export class Documents {
  readonly #tables: DocumentTables

  constructor(tables: DocumentTables) {
    this.#tables = tables
  }

  /** Adds a record. Returns the claim to copy, if any. `isNew`: no record has named the content before. */
  async add(key: Key, author: string, record: DocumentRecord): Promise<{ isNew: boolean; claim?: Claim }> {
    const { cid, size, mediaType } = record
    const id = textOf(cid.bytes)
    const { documents, claims, missing, firsts } = this.#tables
    const known = await documents.get(id)
    const claimed = (await claims.get(id + author)) ?? -1
    const isMissing = known === undefined || (await missing.get(id)) === true
    const own = await firsts.get(nameOf(author, cid))
    if (own === undefined || key < own) firsts.put(nameOf(author, cid), key)
    if (known === undefined) {
      documents.put(id, { first: key, mediaType, contested: false })
      missing.put(id, true)
    } else {
      const contested = known.contested || known.mediaType !== mediaType
      const first = key < known.first ? key : known.first
      if (contested !== known.contested || first !== known.first) documents.put(id, { ...known, contested, first })
    }
    const isNew = known === undefined
    if (size <= claimed) return { isNew }
    claims.put(id + author, size)
    return isMissing ? { isNew, claim: { cid, author, size } } : { isNew }
  }

  async get(cid: CID): Promise<DocumentRow | undefined> {
    return await this.#tables.documents.get(textOf(cid.bytes))
  }

  /** The first record by the author. */
  async firstOf(author: string, cid: CID): Promise<Key | undefined> {
    return await this.#tables.firsts.get(nameOf(author, cid))
  }

  async isMissing(cid: CID): Promise<boolean> {
    return (await this.#tables.missing.get(textOf(cid.bytes))) === true
  }

  found(cid: CID): void {
    this.#tables.missing.delete(textOf(cid.bytes))
  }

  lost(cid: CID): void {
    this.#tables.missing.put(textOf(cid.bytes), true)
  }

  /** The contents that this node has a copy of. */
  async *kept(): AsyncGenerator<CID> {
    for await (const [id] of this.#tables.documents.scan(everything)) {
      const cid = CID.decode(bytesOf(id))
      if (!(await this.isMissing(cid))) yield cid
    }
  }

  /** The claims to copy. */
  async *missing(): AsyncGenerator<Claim> {
    for await (const [id] of this.#tables.missing.scan(everything)) {
      const cid = CID.decode(bytesOf(id))
      const range = { from: id, to: `${id}\u00ff` }
      for await (const [key, size] of this.#tables.claims.scan(range)) yield { cid, author: key.slice(id.length), size }
    }
  }
}

const everything = { from: '', to: '\u00ff' }

function nameOf(author: string, content: CID): string {
  return `d${author}/${textOf(content.bytes)}`
}
