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
  /** Has no effect once the entry has its number: from then on it is written. */
  readonly signal?: AbortSignal | undefined
}

export interface WriteResult {
  readonly entry: LedgerEntry
  readonly created: boolean
}

/**
 * Writes one account's entries, any number at once: each gets its number when it is called, so the entries stand in
 * the order of the calls. Many entries share one write to disk, and no entry waits for the one before it.
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
  /** After a write that failed: resolves when none is under way any more, so that its number is given out again. */
  #settling: PromiseWithResolvers<void> | undefined

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
    // A number that was given out and not written would be a gap, and all later entries would be rejected.
    while (this.#settling !== undefined) await this.#settling.promise
    signal?.throwIfAborted()
    const next = this.#running === 0 ? this.#state.nextSequence(this.#account) : this.#next
    const bytes = encodePayload(payload(options.sequence ?? next))
    if (force !== true) this.#requireFunds(amount)
    const takesNext = options.sequence === undefined || options.sequence === next
    const taken = takesNext && amount <= this.#free() ? amount : 0n
    this.#next = takesNext ? next + 1 : next
    this.#running++
    this.#reserved += taken
    try {
      const raw = await this.#view.append(bytes)
      this.#take(raw)
      const entry = this.#state.get(raw.cid)
      if (entry === undefined) throw new LedgerError('NOT_FOUND', 'the entry was written and is not there')
      return { entry, created: true }
    } catch (error) {
      this.#settling ??= Promise.withResolvers<void>()
      throw error
    } finally {
      this.#running--
      this.#reserved -= taken
      if (this.#running === 0) {
        this.#settling?.resolve()
        this.#settling = undefined
      }
    }
  }

  /** The balance after all writes that are under way. An entry that the rules will reject takes nothing. */
  #free(): bigint {
    return this.#state.balance(this.#account) - this.#reserved
  }

  #requireFunds(amount: bigint): void {
    const free = this.#free()
    if (amount > 0n && free < amount)
      throw new LedgerError('REJECTED', `the account has ${free}, less than ${amount}: all peers would reject it`)
  }
}
