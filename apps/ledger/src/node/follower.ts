import type { View } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import type { Claim } from '../state/documents.ts'
import type { RawEntry } from '../state/entry-reader.ts'
import type { LedgerState } from '../state/ledger-state.ts'

export interface FollowerOptions {
  readonly view: Pick<View, 'count' | 'written'>
  readonly state: LedgerState
  /** Called with entries that were just counted. */
  readonly onEntries: (entries: readonly RawEntry[], claims: readonly Claim[]) => void | Promise<void>
  /** Called when outcomes of entries that were counted earlier may have changed. */
  readonly onChanges: () => void | Promise<void>
}

interface Waiting extends PromiseWithResolvers<void> {
  readonly place: number
}

const entriesTogether = 256
/** While more entries arrive, at most this many are taken before late entries among them take effect. */
const entriesUnsettled = 4_096

/**
 * Brings the state up to date with the view, in the order in which entries were written there, however far the state is
 * behind.
 */
export class Follower {
  readonly #options: FollowerOptions
  #running: Promise<void> | undefined
  #waiting: Waiting[] = []
  #unsettled = 0
  #stopped = false

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** The view has more entries. */
  wake(): void {
    if (this.#stopped) return
    this.#running ??= this.#run()
  }

  /**
   * Resolves when all entries that are in the view now are counted. Rejects with `STORAGE` if one of them cannot be
   * read.
   */
  async caughtUp(): Promise<void> {
    if (this.#stopped) throw stopped()
    if (this.#running === undefined && this.#isDone()) return
    const waiting = { place: this.#options.view.count, ...Promise.withResolvers<void>() }
    this.#waiting.push(waiting)
    this.wake()
    await waiting.promise
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      do {
        if (this.#stopped) throw stopped()
        await this.#step()
      } while (!this.#isDone())
      this.#release(Infinity)
    } catch (error) {
      // The next caller, or the next entry, tries again.
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    } finally {
      // In the same turn as the last check, so that nobody waits for a run that has ended.
      this.#running = undefined
    }
  }

  #isDone(): boolean {
    const { view, state } = this.#options
    return state.place >= view.count && state.settled
  }

  async #step(): Promise<void> {
    const { view, state, onEntries, onChanges } = this.#options
    const batch: { place: number; entry: RawEntry }[] = []
    for await (const one of view.written({ after: state.place, limit: entriesTogether })) batch.push(one)
    if (batch.length > 0) {
      const claims = await state.add(batch)
      await onEntries(
        batch.map(({ entry }) => entry),
        claims
      )
      this.#unsettled += batch.length
    }
    if (state.place < view.count && this.#unsettled < entriesUnsettled) return
    for (let done = false; !done;) {
      done = await state.settle()
      await onChanges()
      if (this.#stopped) return
    }
    this.#unsettled = 0
    this.#release(state.place)
  }

  #release(place: number): void {
    const ready = this.#waiting.filter((one) => one.place <= place)
    this.#waiting = this.#waiting.filter((one) => one.place > place)
    for (const { resolve } of ready) resolve()
  }
}

function stopped(): LedgerError {
  return new LedgerError('UNAVAILABLE', 'the node was stopped: start it again')
}
