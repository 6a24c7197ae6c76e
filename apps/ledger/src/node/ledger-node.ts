import type { Peer } from '@p2pl/core'
import { type Entry, openView, type View, type ViewEvent } from '@p2pl/sync'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { checkAccount } from '../rules/fields.ts'
import { maxParents, maxPayloadBytes } from '../rules/limits.ts'
import { type DocumentRecord, encodePayload } from '../rules/payload.ts'
import { isWellFormed, type LedgerEntry, LedgerState } from '../rules/state.ts'
import { describeBalance, describeEntry, describeGenesis } from '../service/describe.ts'
import {
  type CallOptions,
  type Content,
  type ContentOptions,
  defaultPageSize,
  type EntryQuery,
  type LedgerService,
  maxPageSize,
  type RecordInput,
  type TransferInput,
  type Written
} from '../service/service.ts'
import type {
  BalanceView,
  EntryPage,
  EntryView,
  GenesisView,
  ImportView,
  PeerView,
  StatusView
} from '../service/views.ts'
import { exportLedger, importLedger } from './car-exchange.ts'
import { connectedPeers } from './connected.ts'
import { DocumentKeeper, type KeeperOptions } from './document-keeper.ts'
import type { Home } from './home.ts'
import { NodeEvents, type NodeListener } from './node-events.ts'
import { type WriteResult, Writer } from './writer.ts'

export interface LedgerNodeOptions {
  readonly home: Home
  /** Stopped with the node. */
  readonly peer: Peer
  /** Name of the engine, for people. */
  readonly backend: string
  /** Mean time between beacons in ms. Default: sync's. */
  readonly beaconPeriod?: number | undefined
  /** Which documents of others it keeps copies of. */
  readonly documents?: KeeperOptions | undefined
  /** Receives reports of refused network input and of damage on disk. */
  readonly onTrouble?: ((event: Trouble) => void) | undefined
}

export type Trouble = Extract<ViewEvent, { type: 'dropped' | 'damaged' }>

/** Least time between two searches for all missing documents. */
const searchPauseMs = 5_000

/** One peer of a ledger: its entries on disk, its accounts in memory, its peer on the network. */
export class LedgerNode implements LedgerService {
  readonly #home: Home
  readonly #peer: Peer
  readonly #backend: string
  readonly #view: View
  readonly #state: LedgerState
  readonly #events: NodeEvents
  readonly #keeper: DocumentKeeper
  readonly #writer: Writer
  readonly #onTrouble: LedgerNodeOptions['onTrouble']
  #searchedAt = -Infinity

  static async open(options: LedgerNodeOptions): Promise<LedgerNode> {
    const { home, peer } = options
    // Entries that arrive while the stored ones are still being read wait, so that parents stay before children.
    const early: ViewEvent[] = []
    let onEvent = (event: ViewEvent): unknown => early.push(event)
    const view = await openView({
      peer,
      topic: home.genesis.topic,
      store: home.viewPath,
      identity: home.identity,
      validate: (entry) => (isWellFormed(entry) ? 'valid' : 'invalid'),
      maxParents,
      maxPayloadBytes,
      ...(options.beaconPeriod === undefined ? {} : { beaconPeriod: options.beaconPeriod }),
      onEvent: (event) => {
        onEvent(event)
      }
    })
    try {
      const node = new LedgerNode(options, view)
      for await (const entry of view.entries()) node.#take(entry)
      node.#state.changes()
      onEvent = (event) => node.#onViewEvent(event)
      for (const event of early) onEvent(event)
      return node
    } catch (error) {
      await view.stop()
      throw error
    }
  }

  private constructor(options: LedgerNodeOptions, view: View) {
    this.#home = options.home
    this.#peer = options.peer
    this.#backend = options.backend
    this.#onTrouble = options.onTrouble
    this.#view = view
    this.#state = new LedgerState(options.home.genesis.genesis)
    this.#events = new NodeEvents(this.#state)
    const { balances, witnesses } = options.home.genesis.genesis
    const scarce = new Set([...balances.keys(), ...witnesses])
    this.#keeper = new DocumentKeeper(options.peer, {
      ...options.documents,
      hasShare: (author) => scarce.has(author) || this.#state.balance(author) > 0n
    })
    this.#writer = new Writer(view, this.#state, options.home.identity.id, (entry) => {
      this.#take(entry)
    })
  }

  get account(): string {
    return this.#home.identity.id
  }

  /** Whether documents survive the process. Entries do in any case. */
  get keepsDocuments(): boolean {
    return this.#peer.capabilities.blocks?.persistence !== 'none'
  }

  /** Calls the listener for what happens from now on; gives a function that ends it. */
  listen(listener: NodeListener): () => void {
    return this.#events.listen(listener)
  }

  /** A peer connected that may have missing documents. */
  peerConnected(): void {
    const now = performance.now()
    if (now - this.#searchedAt < searchPauseMs) return
    this.#searchedAt = now
    this.#keeper.retry()
  }

  async stop(): Promise<void> {
    this.#events.stop()
    this.#keeper.stop()
    await this.#view.stop()
    await this.#peer.stop()
  }

  async status(): Promise<StatusView> {
    const { root } = await this.#view.digest()
    const status = this.#view.status()
    const { genesis, cid } = this.#home.genesis
    return {
      network: genesis.network,
      genesis: cid.toString(),
      backend: this.#backend,
      account: this.account,
      witness: genesis.witnesses.includes(this.account),
      root: root.toString(),
      balances: this.#state.balancesCid().toString(),
      ...this.#state.counts(),
      heads: status.heads.map((head) => head.toString()),
      self: this.#selves(),
      connections: (await connectedPeers(this.#peer)).length,
      agreeing: status.agreeing,
      diverging: status.diverging,
      missing: status.missing,
      pending: status.pending,
      quarantined: status.quarantined,
      dropped: status.dropped,
      damaged: status.damaged.length,
      documents: this.#keeper.status()
    }
  }

  async genesis(): Promise<GenesisView> {
    return describeGenesis(this.#home.genesis)
  }

  async balances(): Promise<readonly BalanceView[]> {
    return this.#state.balances().map(([account]) => describeBalance(this.#state, account))
  }

  async balance(account: string): Promise<BalanceView> {
    return describeBalance(this.#state, checkAccount('account', account))
  }

  async entries(query: EntryQuery = {}): Promise<EntryPage> {
    const limit = query.limit ?? defaultPageSize
    if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize)
      throw new LedgerError('INVALID_ARGUMENT', `limit must be a whole number from 1 to ${maxPageSize}`)
    const account = query.account === undefined ? undefined : checkAccount('account', query.account)
    const after = query.after === undefined ? undefined : parseCid(query.after)
    const entries: EntryView[] = []
    for (const entry of this.#state.entries({ after, reverse: query.reverse })) {
      if (account !== undefined && !concerns(entry, account)) continue
      if (entries.length === limit) return { entries, next: entries.at(-1)?.cid }
      entries.push(describeEntry(entry))
    }
    return { entries }
  }

  async entry(cid: string): Promise<EntryView> {
    const entry = this.#state.get(parseCid(cid))
    if (entry === undefined) throw new LedgerError('NOT_FOUND', `no entry ${cid}`)
    return describeEntry(entry)
  }

  async transfer(input: TransferInput, options: CallOptions = {}): Promise<Written> {
    const { to, amount, memo, reference, force, sequence } = input
    if (sequence !== undefined && force !== true)
      throw new LedgerError('INVALID_ARGUMENT', 'sequence is only for force: the node numbers the entries by itself')
    if (to === this.account) throw new LedgerError('INVALID_ARGUMENT', 'to must be another account')
    const write = { reference, amount, force, sequence, signal: options.signal }
    return written(
      await this.#writer.write(write, (number) => ({
        type: 'transfer',
        sequence: number,
        to,
        amount,
        memo,
        reference
      }))
    )
  }

  async record(input: RecordInput, options: CallOptions = {}): Promise<Written> {
    const { name, mediaType, reference } = input
    const describe = (sequence: number, cid: CID, size: number): DocumentRecord => {
      return { type: 'record', sequence, cid, name, mediaType, size, reference }
    }
    // The form is checked before the content is taken in: an empty raw block stands for it.
    encodePayload(describe(0, emptyContent, 0))
    const known = reference === undefined ? undefined : this.#state.byReference(this.account, reference)
    // Known and lost (a backend that keeps nothing, a store that was removed): then it is taken in again.
    if (known !== undefined && (await this.#holds(known))) return { entry: describeEntry(known), created: false }
    const { cid, size } = await this.#peer.data.add(input.content, { signal: options.signal })
    this.#keeper.retry()
    const write = { reference, signal: options.signal }
    return written(await this.#writer.write(write, (number) => describe(number, cid, size)))
  }

  async content(cid: string, options: ContentOptions = {}): Promise<Content> {
    const parsed = parseCid(cid)
    const record = this.#recordOf(parsed, options.entry)
    const providers = await connectedPeers(this.#peer)
    const body = this.#peer.data.get(parsed, { providers, signal: options.signal })
    // The size that the entry gives is not used: its author may lie, and an HTTP answer of another length would be read as two.
    return { mediaType: record?.mediaType ?? 'application/octet-stream', name: record?.name, body }
  }

  /**
   * The record that labels the content. A label belongs to its entry: without one, this account's own record counts, then a
   * label that all records agree on. Otherwise a stranger could relabel a document by an entry that comes first in order.
   */
  #recordOf(content: CID, entry: string | undefined): DocumentRecord | undefined {
    const found =
      entry === undefined
        ? (this.#state.byContent(content, this.account) ??
          (this.#state.isContested(content) ? undefined : this.#state.byContent(content)))
        : this.#state.get(parseCid(entry))
    if (found?.payload.type === 'record' && found.payload.cid.equals(content)) return found.payload
    if (entry === undefined) return undefined
    throw new LedgerError('NOT_FOUND', `the entry ${entry} is no record of ${content.toString()}`)
  }

  async block(cid: string, options: CallOptions = {}): Promise<Uint8Array> {
    return await this.#peer.blocks.get(parseCid(cid), { signal: options.signal })
  }

  async *exportCar(options: CallOptions = {}): AsyncGenerator<Uint8Array> {
    yield* exportLedger({ peer: this.#peer, view: this.#view, genesis: this.#home.genesis }, options)
  }

  async importCar(source: AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<ImportView> {
    return await importLedger({ view: this.#view, genesis: this.#home.genesis }, source, options)
  }

  async connect(peer: PeerView, options: CallOptions = {}): Promise<void> {
    await this.#peer.network.connect(peer, { signal: options.signal })
  }

  async #holds({ payload }: LedgerEntry): Promise<boolean> {
    return payload.type !== 'record' || (await this.#peer.data.has(payload.cid))
  }

  #selves(): PeerView[] {
    return this.#peer.network.self().map(({ network, id, addresses }) => ({ network, id, addresses }))
  }

  #take(raw: Entry): void {
    const payload = this.#state.add(raw)?.payload
    if (payload === undefined) return
    this.#events.changed()
    if (payload.type === 'record') this.#keeper.keep(payload.cid, payload.size, raw.author)
  }

  #onViewEvent(event: ViewEvent): void {
    if (event.type === 'entry') this.#take(event.entry)
    else if (event.type === 'digest') this.#events.digest(event.digest.root.toString(), event.digest.count)
    else this.#onTrouble?.(event)
  }
}

const emptyContent = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')

function written({ entry, created }: WriteResult): Written {
  return { entry: describeEntry(entry), created }
}

function parseCid(text: string): CID {
  try {
    return CID.parse(text)
  } catch {
    throw new LedgerError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not a CID`)
  }
}

function concerns(entry: LedgerEntry, account: string): boolean {
  return entry.author === account || (entry.payload.type === 'transfer' && entry.payload.to === account)
}
