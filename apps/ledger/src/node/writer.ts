import { Slots } from '@p2pl/core/backend'
import type { Entry, View } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import { encodePayload, type Payload } from '../rules/payload.ts'
import type { LedgerEntry } from '../state/entry-reader.ts'
import type { LedgerState } from '../state/ledger-state.ts'

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

export interface WriterOptions {
  readonly view: Pick<View, 'append'>
  readonly state: Pick<LedgerState, 'byReference' | 'standing' | 'describe'>
  readonly account: string
  /** Resolves when all entries are counted that are in the view. */
  readonly caughtUp: () => Promise<void>
}

/**
 * Writes one account's entries, any number at once: each gets its number when it is called, so the entries stand in
 * the order of the calls. Many entries share one write to disk, and no entry waits for the one before it.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #underWay = new Map<string, Promise<WriteResult>>()
  /** Held while an entry gets its number. */
  readonly #numbering = new Slots(1)
  /** Amounts that entries under way take, by their numbers. */
  readonly #reserved = new Map<number, bigint>()
  #running = 0
  #next = 0
  /** After a write that failed: resolves when none is under way any more, so that its number is given out again. */
  #settling: PromiseWithResolvers<void> | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Resolves when the entry is on disk. `payload` is given the number to write. */
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

  /** Gives the entry its number and begins to write it. `sequence`: it is the account's next, and what it takes is reserved. */
  async #begin(
    { amount = 0n, force, signal, sequence }: WriteOptions,
    payload: (sequence: number) => Payload
  ): Promise<{ appended: Promise<Entry>; sequence: number | undefined }> {
    // A number that was given out and not written would be a gap, and all later entries would be rejected.
    while (this.#settling !== undefined) await this.#settling.promise
    signal?.throwIfAborted()
    if (this.#running === 0) await this.#options.caughtUp()
    const { balance, next: stored } = await this.#options.state.standing(this.#options.account)
    signal?.throwIfAborted()
    const next = this.#running === 0 ? stored : this.#next
    const bytes = encodePayload(payload(sequence ?? next))
    // What is counted already has left the balance.
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
    // Awaited by the caller.
    appended.catch(() => undefined)
    return { appended, sequence: takesNext ? next : undefined }
  }
}
