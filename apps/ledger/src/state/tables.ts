import type { Operation, Store } from '@p2pl/store'
import { bytesOf, type Key } from './keys.ts'
import { decodeProgress, encodeProgress, type Progress } from './progress.ts'
import {
  accountCodec,
  type AccountRow,
  documentCodec,
  type DocumentRow,
  emptyCodec,
  entryCodec,
  type EntryRow,
  keyCodec,
  type Line,
  lineCodec,
  sizeCodec
} from './rows.ts'
import { Table } from './table.ts'

const progressKey = bytesOf('progress')

/** All tables of a state. One write is one batch of all changes, together with the progress. */
export class Tables {
  readonly store: Store
  readonly entries: Table<EntryRow>
  readonly lines: Table<Line>
  readonly accounts: Table<AccountRow>
  readonly firsts: Table<Key>
  readonly documents: Table<DocumentRow>
  readonly claims: Table<number>
  readonly missing: Table<true>

  constructor(store: Store) {
    this.store = store
    this.entries = new Table(store, 'e', entryCodec, 4_096)
    this.lines = new Table(store, 'l', lineCodec, 1_024)
    this.accounts = new Table(store, 'a', accountCodec, 4_096)
    this.firsts = new Table(store, 'f', keyCodec, 1_024)
    this.documents = new Table(store, 'd', documentCodec, 1_024)
    this.claims = new Table(store, 'c', sizeCodec, 1_024)
    this.missing = new Table(store, 'm', emptyCodec, 1_024)
  }

  get #all(): readonly Pick<Table<unknown>, 'changes' | 'flush' | 'forget'>[] {
    return [this.entries, this.lines, this.accounts, this.firsts, this.documents, this.claims, this.missing]
  }

  /** The number of changed rows that are not written yet. */
  get changes(): number {
    return this.#all.reduce((sum, { changes }) => sum + changes, 0)
  }

  /** Discards unwritten changes. */
  forget(): void {
    for (const table of this.#all) table.forget()
  }

  async progress(): Promise<Progress | undefined> {
    const bytes = await this.store.get(progressKey)
    return bytes && decodeProgress(bytes)
  }

  /** A failed write changes nothing: the changes are written the next time. */
  async flush(progress: Progress): Promise<void> {
    const operations: Operation[] = []
    const written = this.#all.map((table) => table.flush(operations))
    operations.push({ type: 'put', key: progressKey, value: encodeProgress(progress) })
    await this.store.write(operations)
    for (const done of written) done()
  }
}
