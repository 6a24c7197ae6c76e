// The ledger's description of itself as JSON, in the HTTP API and in the command line with --json. Amounts are decimal
// text, because they may be larger than a JSON number; CIDs are text.

export interface StatusView {
  readonly network: string
  /** CID of the genesis: the ledger's name. */
  readonly genesis: string
  /** Name of the engine. */
  readonly backend: string
  /** Backends of which the first that is `up` is used; empty if there is only one. */
  readonly backends: readonly BackendView[]
  /** The account that this node writes with. */
  readonly account: string
  readonly witness: boolean
  /** Root CID of all entries. Equal roots mean equal ledgers. */
  readonly root: string
  /** CID of all balances. */
  readonly balances: string
  readonly entries: number
  readonly accepted: number
  readonly rejected: number
  readonly heads: readonly string[]
  /** How others reach this node, in the form that `connect` takes. */
  readonly self: readonly PeerView[]
  /** The number of direct connections of the engine. */
  readonly connections: number
  /** The peers at their other ends, at most 64. */
  readonly connected: readonly PeerView[]
  /** Ids of peers that last reported the same root, and of those that last reported another one. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Entries that others name but that are not here yet. */
  readonly missing: number
  /** Entries here that wait for their parents. */
  readonly pending: number
  readonly quarantined: number
  /** Messages and entries from the network that were refused. */
  readonly dropped: number
  /** Stored entries that were damaged on disk and that no peer has supplied again yet. */
  readonly damaged: number
  /** The number of documents that entries name, and how many of them this node has a copy of. */
  readonly documents: { readonly known: number; readonly kept: number }
}

export interface HealthView {
  /** `degraded`: the engine of a backend is unavailable, and the node is trying to get it back. */
  readonly status: 'ok' | 'degraded'
  readonly degraded: readonly { readonly backend: string; readonly reason: string; readonly seconds: number }[]
}

/** The nodes that one server gives access to: itself, or all nodes of a demonstration. */
export interface NodesView {
  readonly nodes: readonly {
    readonly name: string
    readonly life: 'starting' | 'up' | 'killed'
    /** The path of its API on this server. */
    readonly path: string
  }[]
  /** Whether this is a demonstration: each event names its node, as `{ node, data }`, and nodes can be killed. */
  readonly demonstration: boolean
}

export interface BackendView {
  readonly name: string
  readonly state: 'up' | 'down' | 'paused'
  /** Why it is not in use. */
  readonly reason?: string | undefined
}

export interface PeerView {
  /** The kind of network that the id and the addresses belong to. A node is on one or two networks. */
  readonly network: string
  readonly id: string
  readonly addresses: readonly string[]
}

export interface BalanceView {
  readonly account: string
  readonly balance: string
  /** The number that the account's next entry must have. */
  readonly nextSequence: number
}

interface CommonEntryView {
  readonly cid: string
  readonly clock: number
  readonly author: string
  readonly parents: readonly string[]
  readonly sequence: number
  readonly reference?: string | undefined
  readonly status: 'accepted' | 'rejected'
  /** Why it was rejected. */
  readonly reason?: 'sequence-used' | 'sequence-gap' | 'overdraft' | undefined
  /** The entry that used the number. */
  readonly conflict?: string | undefined
  /** The number of witnesses that approve it. */
  readonly confirmations: number
}

export interface TransferView extends CommonEntryView {
  readonly type: 'transfer'
  readonly to: string
  readonly amount: string
  readonly memo?: string | undefined
}

export interface RecordView extends CommonEntryView {
  readonly type: 'record'
  readonly content: string
  readonly name: string
  readonly mediaType: string
  readonly size: number
}

export type EntryView = TransferView | RecordView

export interface EntryPage {
  readonly entries: readonly EntryView[]
  /** Pass this as `after` in the next request; absent at the end. */
  readonly next?: string | undefined
}

export interface ImportView {
  readonly added: number
  readonly known: number
  readonly refused: number
  /** Where a truncated or damaged file ends. The whole entries before that point were taken. */
  readonly incomplete?: string | undefined
}

export interface GenesisView {
  readonly cid: string
  readonly network: string
  readonly balances: Readonly<Record<string, string>>
  readonly witnesses: readonly string[]
  /** 16 bytes as hexadecimal digits. */
  readonly salt: string
  readonly topic: string
}

/** The result of a full check from the root CID alone. */
export interface VerificationView {
  readonly genesis: string
  readonly network: string
  readonly root: string
  readonly entries: number
  readonly accepted: number
  readonly rejected: number
  readonly balances: string
  readonly accounts: readonly BalanceView[]
}
