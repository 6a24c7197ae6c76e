import type { LegControl } from '@p2pl/config'
import type { Peer } from '@p2pl/core'
import type { View } from '@p2pl/sync'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { type DocumentRecord, encodePayload } from '../rules/payload.ts'
import { describeEntry, describeGenesis, describePeer } from '../service/describe.ts'
import type {
  CallOptions,
  Content,
  ContentOptions,
  EntryQuery,
  LedgerService,
  RecordInput,
  TransferInput,
  Written
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
import type { LedgerEntry } from '../state/entry-reader.ts'
import type { LedgerState } from '../state/ledger-state.ts'
import { exportLedger, importLedger } from './car-exchange.ts'
import { connectedPeers } from './connected.ts'
import { findLostCopies } from './copies.ts'
import { DocumentKeeper, type KeeperOptions } from './document-keeper.ts'
import type { Follower } from './follower.ts'
import type { Home } from './home.ts'
import { labelOf } from './label.ts'
import { Ledger, parseCid, type Trouble, written } from './ledger.ts'
import { momentOf } from './moment.ts'
import type { NodeListener } from './node-events.ts'

export interface LedgerNodeOptions {
  readonly home: Home
  /** The peer. It is stopped with the node. */
  readonly peer: Peer
  /** Name of the engine, for people. */
  readonly backend: string
  /** Backends of which the first that works is used. Default: none. */
  readonly legs?: readonly LegControl[] | undefined
  /** Mean time between beacons in ms. Default: that of sync. */
  readonly beaconPeriod?: number | undefined
  /** Which documents of others the node keeps copies of. */
  readonly documents?: KeeperOptions | undefined
  /** Receives reports of refused network input and of damage on disk. */
  readonly onTrouble?: ((event: Trouble) => void) | undefined
}

export type { Trouble } from './ledger.ts'

/** The least time (ms) between two searches for all missing documents. */
const searchPauseMs = 5_000
/** The most connected peers in a status. */
const mostConnected = 64

/** One peer of a ledger: its entries and the data derived from them on disk, and its peer on the network. */
export class LedgerNode implements LedgerService {
  readonly #home: Home
  readonly #peer: Peer
  readonly #backend: string
  readonly #legs: readonly LegControl[]
  readonly #ledger: Ledger
  readonly #view: View
  readonly #state: LedgerState
  readonly #follower: Follower
  readonly #keeper: DocumentKeeper
  #searchedAt = -Infinity

  static async open(options: LedgerNodeOptions): Promise<LedgerNode> {
    const { home, peer, beaconPeriod, onTrouble } = options
    let keeper: DocumentKeeper | undefined
    const ledger = await Ledger.open({
      peer,
      genesis: home.genesis,
      identity: home.identity,
      entries: home.viewPath,
      state: home.statePath,
      beaconPeriod,
      onClaims: async (claims) => {
        for (const claim of claims) await keeper?.keep(claim)
      },
      onTrouble
    })
    try {
      const node = new LedgerNode(options, ledger)
      keeper = node.#keeper
      await node.#resume()
      return node
    } catch (error) {
      await ledger.stop()
      throw error
    }
  }

  private constructor(options: LedgerNodeOptions, ledger: Ledger) {
    this.#home = options.home
    this.#peer = options.peer
    this.#backend = options.backend
    this.#legs = options.legs ?? []
    this.#ledger = ledger
    const { view, state, follower } = ledger
    this.#view = view
    this.#state = state
    this.#follower = follower
    const { balances, witnesses } = options.home.genesis.genesis
    const scarce = new Set([...balances.keys(), ...witnesses])
    this.#keeper = new DocumentKeeper(options.peer, state, {
      ...options.documents,
      hasShare: async (author) => scarce.has(author) || (await state.standing(author)).balance > 0n
    })
  }

  /** Continues the work of an earlier run: entries that are not counted yet, and documents without a copy. */
  async #resume(): Promise<void> {
    if (this.#keeper.keeps) {
      await findLostCopies(this.#state, this.#peer)
      for await (const claim of this.#state.missing()) await this.#keeper.keep(claim)
    }
    this.#follower.wake()
  }

  get account(): string {
    return this.#home.identity.id
  }

  /** Whether documents survive the process. Entries always do. */
  get keepsDocuments(): boolean {
    return this.#peer.capabilities.blocks?.persistence !== 'none'
  }

  /** Calls the listener for each event from now on. Returns a function that stops it. */
  listen(listener: NodeListener): () => void {
    return this.#ledger.events.listen(listener)
  }

  /** A peer connected that may have missing documents. */
  peerConnected(): void {
    const now = performance.now()
    if (now - this.#searchedAt < searchPauseMs) return
    this.#searchedAt = now
    this.#keeper.retry()
  }

  async stop(): Promise<void> {
    this.#keeper.stop()
    await this.#ledger.stop()
    await this.#peer.stop()
  }

  async status(): Promise<StatusView> {
    const { root, balances, entries, accepted, rejected } = await momentOf(this.#ledger)
    const status = this.#view.status()
    const { genesis, cid } = this.#home.genesis
    const connected = (await connectedPeers(this.#peer)).map(describePeer)
    return {
      network: genesis.network,
      genesis: cid.toString(),
      backend: this.#backend,
      backends: this.#legs.map(({ name, state, reason }) => ({ name, state, reason })),
      account: this.account,
      witness: genesis.witnesses.includes(this.account),
      root: root.toString(),
      balances: balances.toString(),
      entries,
      accepted,
      rejected,
      heads: status.heads.map((head) => head.toString()),
      self: this.#peer.network.self().map(describePeer),
      connections: connected.length,
      connected: connected.slice(0, mostConnected),
      agreeing: status.agreeing,
      diverging: status.diverging,
      missing: status.missing,
      pending: status.pending,
      quarantined: status.quarantined,
      dropped: status.dropped,
      damaged: status.damaged.length,
      documents: this.#keeper.keeps ? this.#state.copies() : { known: 0, kept: 0 }
    }
  }

  async genesis(): Promise<GenesisView> {
    return describeGenesis(this.#home.genesis)
  }

  async balances(): Promise<readonly BalanceView[]> {
    return await this.#ledger.balances()
  }

  async balance(account: string): Promise<BalanceView> {
    return await this.#ledger.balance(account)
  }

  async entries(query?: EntryQuery): Promise<EntryPage> {
    return await this.#ledger.entries(query)
  }

  async entry(cid: string): Promise<EntryView> {
    return await this.#ledger.entry(cid)
  }

  async transfer(input: TransferInput, options?: CallOptions): Promise<Written> {
    return await this.#ledger.transfer(input, options)
  }

  async record(input: RecordInput, options: CallOptions = {}): Promise<Written> {
    const { name, mediaType, reference } = input
    const describe = (sequence: number, cid: CID, size: number): DocumentRecord => {
      return { type: 'record', sequence, cid, name, mediaType, size, reference }
    }
    // Checks the form before the content is added; an empty raw block stands for the content.
    encodePayload(describe(0, emptyContent, 0))
    const known = reference === undefined ? undefined : await this.#state.byReference(this.account, reference)
    // If the content is known but lost (a backend that keeps nothing, a store that was removed), it is added again.
    if (known !== undefined && (await this.#holds(known))) return { entry: describeEntry(known), created: false }
    const { cid, size } = await this.#peer.data.add(input.content, { signal: options.signal })
    this.#keeper.retry()
    const write = { reference, signal: options.signal }
    return written(await this.#ledger.writer.write(write, (number) => describe(number, cid, size)))
  }

  async content(cid: string, options: ContentOptions = {}): Promise<Content> {
    const parsed = parseCid(cid)
    const entry = options.entry === undefined ? undefined : parseCid(options.entry)
    await this.#follower.caughtUp()
    const record = await labelOf(this.#state, this.account, parsed, entry)
    const providers = await connectedPeers(this.#peer)
    const body = this.#peer.data.get(parsed, { providers, signal: options.signal })
    // The size in the entry is not used: its author may lie, and an HTTP answer of another length would be read as two
    // answers.
    return { mediaType: record?.mediaType ?? 'application/octet-stream', name: record?.name, body }
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

  async useBackend(name: string, use: boolean): Promise<void> {
    const leg = this.#legs.find((one) => one.name === name)
    if (leg === undefined) {
      const names = this.#legs.map((one) => `"${one.name}"`).join(', ')
      const which = names === '' ? 'this node has one backend, which is always used' : `there is ${names}`
      throw new LedgerError('NOT_FOUND', `no backend "${name.slice(0, 80)}" to choose: ${which}`)
    }
    await (use ? leg.resume() : leg.pause())
  }

  async #holds({ payload }: LedgerEntry): Promise<boolean> {
    return payload.type !== 'record' || (await this.#peer.data.has(payload.cid))
  }
}

const emptyContent = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
