import type { Identity, Peer } from '@p2pl/core'
import { openView, type View, type ViewEvent } from '@p2pl/sync'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { checkAccount } from '../rules/fields.ts'
import type { GenesisBlock } from '../rules/genesis.ts'
import { maxParents, maxPayloadBytes } from '../rules/limits.ts'
import { isWellFormed } from '../rules/payload.ts'
import { describeBalance, describeEntry } from '../service/describe.ts'
import {
  type CallOptions,
  defaultPageSize,
  type EntryQuery,
  maxPageSize,
  type TransferInput,
  type Written
} from '../service/service.ts'
import type { BalanceView, EntryPage, EntryView } from '../service/views.ts'
import type { Claim } from '../state/documents.ts'
import type { RawEntry } from '../state/entry-reader.ts'
import { LedgerState } from '../state/ledger-state.ts'
import { Follower } from './follower.ts'
import { NodeEvents } from './node-events.ts'
import { type WriteResult, Writer } from './writer.ts'

export interface LedgerOptions {
  readonly peer: Peer
  readonly genesis: GenesisBlock
  readonly identity: Identity
  /** The place of the entries: a folder, or the name of a database in a browser. */
  readonly entries: string
  /** The place of the data derived from them. It may be removed, and is then derived again. */
  readonly state: string
  /** Mean time between beacons in ms. Default: that of sync. */
  readonly beaconPeriod?: number | undefined
  /** Receives the documents to copy. */
  readonly onClaims?: ((claims: readonly Claim[]) => Promise<void>) | undefined
  /**
   * Called when entries arrived or were counted, or when a root changed, here or at another peer. It costs less than an
   * event listener.
   */
  readonly onChange?: (() => void) | undefined
  /** Receives reports of refused network input and of damage on disk. */
  readonly onTrouble?: ((event: Trouble) => void) | undefined
}

export type Trouble = Extract<ViewEvent, { type: 'dropped' | 'damaged' }>

/** The entries of a ledger and the data derived from them: the common part of a node in Node and a page in a browser. */
export class Ledger {
  readonly view: View
  readonly state: LedgerState
  readonly events: NodeEvents
  readonly follower: Follower
  readonly writer: Writer
  readonly #account: string
  readonly #options: LedgerOptions

  /** Opens the view with the rules of the ledger. Counting starts with `follower.wake()` or the first new entry. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const { peer, genesis, identity, beaconPeriod } = options
    let onEvent: (event: ViewEvent) => void = () => {}
    const view = await openView({
      peer,
      topic: genesis.topic,
      store: options.entries,
      identity,
      validate: (entry) => (isWellFormed(entry) ? 'valid' : 'invalid'),
      maxParents,
      maxPayloadBytes,
      ...(beaconPeriod === undefined ? {} : { beaconPeriod }),
      onEvent: (event) => {
        onEvent(event)
      }
    })
    try {
      const state = await LedgerState.open({ location: options.state, genesis: genesis.genesis, entries: view })
      const ledger = new Ledger(options, view, state)
      onEvent = (event) => {
        ledger.#onViewEvent(event)
      }
      return ledger
    } catch (error) {
      await view.stop()
      throw error
    }
  }

  private constructor(options: LedgerOptions, view: View, state: LedgerState) {
    this.#options = options
    this.#account = options.identity.id
    this.view = view
    this.state = state
    this.events = new NodeEvents(state)
    this.follower = new Follower({
      view,
      state,
      onEntries: async (entries, claims) => await this.#onEntries(entries, claims),
      onChanges: async () => await this.#onChanges()
    })
    this.writer = new Writer({
      view,
      state,
      account: this.#account,
      caughtUp: async () => await this.follower.caughtUp()
    })
  }

  async stop(): Promise<void> {
    this.events.stop()
    await this.follower.stop()
    await this.view.stop()
    await this.state.close()
  }

  async balances(): Promise<readonly BalanceView[]> {
    await this.follower.caughtUp()
    return (await this.state.balances()).map(([account, standing]) => describeBalance(account, standing))
  }

  async balance(account: string): Promise<BalanceView> {
    checkAccount('account', account)
    await this.follower.caughtUp()
    return describeBalance(account, await this.state.standing(account))
  }

  async entries(query: EntryQuery = {}): Promise<EntryPage> {
    const limit = query.limit ?? defaultPageSize
    if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize)
      throw new LedgerError('INVALID_ARGUMENT', `limit must be a whole number from 1 to ${maxPageSize}`)
    const account = query.account === undefined ? undefined : checkAccount('account', query.account)
    const after = query.after === undefined ? undefined : parseCid(query.after)
    await this.follower.caughtUp()
    const entries: EntryView[] = []
    for await (const entry of this.state.entries({ after, account, reverse: query.reverse, limit: limit + 1 })) {
      if (entries.length === limit) return { entries, next: entries.at(-1)?.cid }
      entries.push(describeEntry(entry))
    }
    return { entries }
  }

  async entry(cid: string): Promise<EntryView> {
    const parsed = parseCid(cid)
    await this.follower.caughtUp()
    const entry = await this.state.get(parsed)
    if (entry === undefined) throw new LedgerError('NOT_FOUND', `no entry ${cid}`)
    return describeEntry(entry)
  }

  async transfer(input: TransferInput, options: CallOptions = {}): Promise<Written> {
    const { to, amount, memo, reference, force, sequence } = input
    if (sequence !== undefined && force !== true)
      throw new LedgerError('INVALID_ARGUMENT', 'sequence is only for force: the node numbers the entries by itself')
    if (to === this.#account) throw new LedgerError('INVALID_ARGUMENT', 'to must be another account')
    const write = { reference, amount, force, sequence, signal: options.signal }
    return written(
      await this.writer.write(write, (number) => ({
        type: 'transfer',
        sequence: number,
        to,
        amount,
        memo,
        reference
      }))
    )
  }

  async #onChanges(): Promise<void> {
    await this.events.changed()
    this.#options.onChange?.()
  }

  async #onEntries(entries: readonly RawEntry[], claims: readonly Claim[]): Promise<void> {
    await this.events.added(entries)
    await this.#options.onClaims?.(claims)
  }

  #onViewEvent(event: ViewEvent): void {
    this.#options.onChange?.()
    if (event.type === 'entry') this.follower.wake()
    else if (event.type === 'digest') this.events.digest(event.digest.root.toString(), event.digest.count)
    else this.#options.onTrouble?.(event)
  }
}

export function written({ entry, created }: WriteResult): Written {
  return { entry: describeEntry(entry), created }
}

export function parseCid(text: string): CID {
  try {
    return CID.parse(text)
  } catch {
    throw new LedgerError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not a CID`)
  }
}
