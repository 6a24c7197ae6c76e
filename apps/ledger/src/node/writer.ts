import { Slots } from '@p2pl/core/backend'
import type { Entry, View } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import { encodePayload, type Payload } from '../rules/payload.ts'
import type { LedgerEntry } from '../state/entry-reader.ts'
import type { LedgerState } from '../state/ledger-state.ts'

export interface WriteOptions {
  /** The account's own mark. A second write with the same reference returns the entry of the first. */
  readonly reference?: string | undefined
  /** The amount that the entry takes from the account. */
  readonly amount?: bigint | undefined
  /** Whether to write even if the account has less. */
  readonly force?: boolean | undefined
  /** Used instead of the account's next number. */
  readonly sequence?: number | undefined
  /** Has no effect once the entry has its number; from then on it is written. */
  readonly signal?: AbortSignal | undefined
}

export interface WriteResult {
  readonly entry: LedgerEntry
  readonly created: boolean
}

export interface WriterOptions {
  readonly view: Pick<View, 'append'>
  readonly state: Pick<LedgerState, 'byReference' | 'standing' | 'describe'>
  readonly account: string
  /** Resolves when all entries in the view are counted. */
  readonly caughtUp: () => Promise<void>
}

/**
 * Writes one account's entries, any number at once. Each entry gets its number when the call is made, so the entries
 * are in the order of the calls. Many entries share one write to disk, and no entry waits for the previous one.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #underWay = new Map<string, Promise<WriteResult>>()
  /** Held while an entry gets its number. */
  readonly #numbering = new Slots(1)
  /** Amounts of entries in progress, by their numbers. */
  readonly #reserved = new Map<number, bigint>()
  #running = 0
  #next = 0
  /**
   * Exists after a failed write. Resolves when no write is in progress, so that the number of the failed one can be
   * used again.
   */
  #settling: PromiseWithResolvers<void> | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Resolves when the entry is on disk. `payload` receives the number to write. */
  async write(options: WriteOptions, payload: (sequence: number) => Payload): Promise<WriteResult> {
    const { reference } = options
    if (reference === undefined) return await this.#append(options, payload)
    const other = this.#underWay.get(reference)
    if (other !== undefined) return { entry: (await other).entry, created: false }
    const result = this.#unlessKnown(reference, options, payload)
    this.#underWay.set(reference, result)
    try {
      return await result
    } finally {
      this.#underWay.delete(reference)
    }
  }

  async #unlessKnown(
    reference: string,
    options: WriteOptions,
    payload: (sequence: number) => Payload
  ): Promise<WriteResult> {
    const known = await this.#options.state.byReference(this.#options.account, reference)
    return known === undefined ? await this.#append(options, payload) : { entry: known, created: false }
  }

  async #append(options: WriteOptions, payload: (sequence: number) => Payload): Promise<WriteResult> {
    const { state, caughtUp } = this.#options
    const { appended, sequence } = await this.#numbering.run(async () => await this.#begin(options, payload))
    try {
      const raw = await appended
      await caughtUp()
      const entry = await state.describe(raw)
      if (entry === undefined) throw new LedgerError('NOT_FOUND', 'the entry was written and is not there')
      return { entry, created: true }
    } catch (error) {
      this.#settling ??= Promise.withResolvers<void>()
      throw error
    } finally {
      this.#running--
      if (sequence !== undefined) this.#reserved.delete(sequence)
      if (this.#running === 0) {
        this.#settling?.resolve()
        this.#settling = undefined
      }
    }
  }

  /**
   * Gives the entry its number and begins to write it. If the number is the account's next one, it is returned as
   * `sequence`, and the amount of the entry is reserved.
   */
  async #begin(
    { amount = 0n, force, signal, sequence }: WriteOptions,
    payload: (sequence: number) => Payload
  ): Promise<{ appended: Promise<Entry>; sequence: number | undefined }> {
    // A number that was assigned but not written would be a gap, and all later entries would be rejected.
    while (this.#settling !== undefined) await this.#settling.promise
    signal?.throwIfAborted()
    if (this.#running === 0) await this.#options.caughtUp()
    const { balance, next: stored } = await this.#options.state.standing(this.#options.account)
    signal?.throwIfAborted()
    const next = this.#running === 0 ? stored : this.#next
    const bytes = encodePayload(payload(sequence ?? next))
    // Amounts of counted entries have already left the balance.
    let free = balance
    for (const [number, reserved] of this.#reserved) if (number >= stored) free -= reserved
    if (force !== true && amount > 0n && free < amount)
      throw new LedgerError('REJECTED', `the account has ${free}, less than ${amount}: all peers would reject it`)
    const takesNext = sequence === undefined || sequence === next
    // An entry that the rules will reject takes nothing.
    if (takesNext) this.#reserved.set(next, amount <= free ? amount : 0n)
    this.#next = takesNext ? next + 1 : next
    this.#running++
    const appended = this.#options.view.append(bytes)
    // The caller awaits it.
    appended.catch(() => undefined)
    return { appended, sequence: takesNext ? next : undefined }
  }
}
