import type { BalanceView, EntryPage, EntryView, GenesisView, ImportView, PeerView, StatusView } from './views.ts'

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface TransferInput {
  readonly to: string
  readonly amount: bigint
  readonly memo?: string | undefined
  /** With the same reference again, nothing is written and the first entry is returned. */
  readonly reference?: string | undefined
  /** Write it even if this node would reject it: the network decides. */
  readonly force?: boolean | undefined
  /** Only with `force`. Default: the account's next. */
  readonly sequence?: number | undefined
}

export interface RecordInput {
  readonly name: string
  readonly mediaType: string
  readonly reference?: string | undefined
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export interface EntryQuery {
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined
  readonly after?: string | undefined
  readonly reverse?: boolean | undefined
  /** Only entries of this account: written by it or paid to it. */
  readonly account?: string | undefined
}

export interface Written {
  readonly entry: EntryView
  /** False when the reference was known and nothing was written. */
  readonly created: boolean
}

export interface ContentOptions extends CallOptions {
  /**
   * CID of the record whose name and media type count. Default: this account's own record, otherwise what all records
   * agree on.
   */
  readonly entry?: string | undefined
}

export interface Content {
  readonly mediaType: string
  readonly name?: string | undefined
  readonly size?: number | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/** The operations of a ledger, in this process or through a running node's HTTP API. */
export interface LedgerService {
  status(options?: CallOptions): Promise<StatusView>
  genesis(options?: CallOptions): Promise<GenesisView>
  balances(options?: CallOptions): Promise<readonly BalanceView[]>
  balance(account: string, options?: CallOptions): Promise<BalanceView>
  entries(query?: EntryQuery, options?: CallOptions): Promise<EntryPage>
  entry(cid: string, options?: CallOptions): Promise<EntryView>
  /** Resolves when the entry is on disk. From then on it survives the end of the process. */
  transfer(input: TransferInput, options?: CallOptions): Promise<Written>
  record(input: RecordInput, options?: CallOptions): Promise<Written>
  /** The bytes of a document. Its media type is `application/octet-stream` if no record counts. */
  content(cid: string, options?: ContentOptions): Promise<Content>
  /** One block, from the store or the network. */
  block(cid: string, options?: CallOptions): Promise<Uint8Array>
  /** All entries and the genesis as a CAR file; roots: the view's root, the genesis. */
  exportCar(options?: CallOptions): AsyncIterable<Uint8Array>
  importCar(source: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<ImportView>
  connect(peer: PeerView, options?: CallOptions): Promise<void>
  /** Takes one of several backends out of use and stops it, or takes it back into use. */
  useBackend(name: string, use: boolean, options?: CallOptions): Promise<void>
}

export const defaultPageSize = 100
export const maxPageSize = 1_000
/** The most bytes of a document or a CAR file that is sent to a node over HTTP. */
export const maxDocumentBytes: number = 256 * 1_024 * 1_024
