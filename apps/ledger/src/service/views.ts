// What the ledger says of itself, as JSON: by the HTTP API, and by the command line with --json. Amounts are decimal
// text, because they may be larger than a JSON number; CIDs are text.

export interface StatusView {
  readonly network: string
  /** CID of the genesis: the ledger's name. */
  readonly genesis: string
  /** Name of the engine below. */
  readonly backend: string
  /** Those of which the first that is `up` is used; empty where there is one. */
  readonly backends: readonly BackendView[]
  /** The account that this node writes as. */
  readonly account: string
  readonly witness: boolean
  /** Root CID of all entries: equal roots are equal ledgers. */
  readonly root: string
  /** CID of all balances. */
  readonly balances: string
  readonly entries: number
  readonly accepted: number
  readonly rejected: number
  readonly heads: readonly string[]
  /** How others reach this node; `connect` takes it. */
  readonly self: readonly PeerView[]
  /** Direct connections of the engine. */
  readonly connections: number
  /** The peers at their other ends; at most 64. */
  readonly connected: readonly PeerView[]
  /** Ids of peers whose last word was the same root, and of those whose was another. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  /** Entries that others name and that are not here yet. */
  readonly missing: number
  /** Entries here that wait for their parents. */
  readonly pending: number
  readonly quarantined: number
  /** Messages and entries from the network that were refused. */
  readonly dropped: number
  /** Stored entries that were damaged on disk and that no peer has given again yet. */
  readonly damaged: number
  /** Documents that entries name, and how many of them this node holds a copy of. */
  readonly documents: { readonly known: number; readonly kept: number }
}

export interface HealthView {
  /** `degraded`: the engine of a backend cannot be used now; the node is trying to get it back. */
  readonly status: 'ok' | 'degraded'
  readonly degraded: readonly { readonly backend: string; readonly reason: string; readonly seconds: number }[]
}

/** The nodes that one server gives access to: itself, or all of a demonstration. */
export interface NodesView {
  readonly nodes: readonly {
    readonly name: string
    readonly life: 'starting' | 'up' | 'killed'
    /** Where its API is on this server. */
    readonly path: string
  }[]
  /** Whether each event names its node, as `{ node, data }`, and a node can be killed. */
  readonly demonstration: boolean
}

export interface BackendView {
  readonly name: string
  readonly state: 'up' | 'down' | 'paused'
  /** Why it is not in use. */
  readonly reason?: string | undefined
}

export interface PeerView {
  /** The kind of network that the id and the addresses belong to; a node is on one or two. */
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
  /** Why it is rejected. */
  readonly reason?: 'sequence-used' | 'sequence-gap' | 'overdraft' | undefined
  /** The entry that used the number. */
  readonly conflict?: string | undefined
  /** How many witnesses approve it. */
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
  /** Ask again with `after` set to this; absent at the end. */
  readonly next?: string | undefined
}

export interface ImportView {
  readonly added: number
  readonly known: number
  readonly refused: number
  /** Where the file ends that is cut short or damaged. What is whole before it was taken. */
  readonly incomplete?: string | undefined
}

export interface GenesisView {
  readonly cid: string
  readonly network: string
  readonly balances: Readonly<Record<string, string>>
  readonly witnesses: readonly string[]
  /** 16 bytes in hexadecimal. */
  readonly salt: string
  readonly topic: string
}

/** What a full check from the root CID alone found. */
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
