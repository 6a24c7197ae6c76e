import type { Entry, View } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import { encodePayload, type Payload } from '../rules/payload.ts'
import type { LedgerEntry, LedgerState } from '../rules/state.ts'

export interface WriteOptions {
  /** The account's own mark: the second write of one reference gives the entry of the first. */
  readonly reference?: string | undefined
  /** What the entry takes from the account. */
  readonly amount?: bigint | undefined
  /** Whether to write although the account has less. */
  readonly force?: boolean | undefined
  /** Instead of the account's next. */
  readonly sequence?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WriteResult {
  readonly entry: LedgerEntry
  readonly created: boolean
}

/**
 * Writes one account's entries, any number at once: each gets its number when it is called, and the entries of one author
 * stand in the order of the calls. So many share one write to disk, and none has to wait for the one before it.
 */
export class Writer {
  readonly #view: View
  readonly #state: LedgerState
  readonly #account: string
  readonly #take: (entry: Entry) => void
  readonly #underWay = new Map<string, Promise<WriteResult>>()
  /** Amounts that entries under way take. */
  #reserved = 0n
  #running = 0
  #next = 0

  constructor(view: View, state: LedgerState, account: string, take: (entry: Entry) => void) {
    this.#view = view
    this.#state = state
    this.#account = account
    this.#take = take
  }

  /** Resolves when the entry is on disk. `payload` is given the number to write. */
  async write(options: WriteOptions, payload: (sequence: number) => Payload): Promise<WriteResult> {
    const { reference } = options
    if (reference === undefined) return await this.#append(options, payload)
    const known = this.#state.byReference(this.#account, reference)
    if (known !== undefined) return { entry: known, created: false }
    const other = this.#underWay.get(reference)
    if (other !== undefined) return { entry: (await other).entry, created: false }
    const result = this.#append(options, payload)
    this.#underWay.set(reference, result)
    try {
      return await result
    } finally {
      this.#underWay.delete(reference)
    }
  }

  async #append(options: WriteOptions, payload: (sequence: number) => Payload): Promise<WriteResult> {
    const { amount = 0n, force, signal } = options
    const next = this.#running === 0 ? this.#state.nextSequence(this.#account) : this.#next
    const bytes = encodePayload(payload(options.sequence ?? next))
    if (force !== true) this.#requireFunds(amount)
    if (options.sequence === undefined || options.sequence === next) this.#next = next + 1
    else this.#next = next
    this.#running++
    this.#reserved += amount
    try {
      const raw = await this.#view.append(bytes, { signal })
      this.#take(raw)
      const entry = this.#state.get(raw.cid)
      if (entry === undefined) throw new LedgerError('NOT_FOUND', 'the entry was written and is not there')
      return { entry, created: true }
    } finally {
      this.#running--
      this.#reserved -= amount
    }
  }

  #requireFunds(amount: bigint): void {
    const free = this.#state.balance(this.#account) - this.#reserved
    if (free < amount)
      throw new LedgerError('REJECTED', `the account has ${free}, less than ${amount}: all peers would reject it`)
  }
}
