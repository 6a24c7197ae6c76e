import type { PeerInfo } from '@p2pl/core'
import { type Breather, untilAborted } from '@p2pl/core/backend'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { Candidate } from '../intake/admission.ts'
import type { Checks } from '../intake/checks.ts'
import type { Intake, Outcome } from '../intake/intake.ts'
import { limits } from '../limits.ts'
import type { Committer } from '../replica/committer.ts'
import type { BorrowedBlocks } from '../serve/borrowed.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { Levels } from '../tree/levels.ts'
import { walk } from '../tree/walk.ts'
import type { Leaf } from '../tree/walk.ts'
import { Batch, BatchesAhead } from './ahead.ts'
import { Carried } from './carried.ts'
import type { SolidLeaves } from './solid-leaves.ts'
import type { Ticket } from './tickets.ts'

/** Some entries of the root are refused here, so it can never be merged. */
export class Unusable extends Error {
  override readonly name: string = 'Unusable'
}

/** The walk has cost too much since it last brought something new. */
export class Spent extends Error {
  override readonly name: string = 'Spent'
}

/** The parts that all walks share. */
export interface MergeParts {
  readonly blocks: BorrowedBlocks
  readonly timers: Timers
  readonly breather: Breather
  readonly period: number
  readonly bounds: EntryBounds
  readonly checks: Checks
  readonly intake: Intake
  readonly committer: Committer
  readonly levels: Levels
  readonly solid: SolidLeaves
  /** Asks all peers for a block that cannot be fetched. */
  readonly ask: (digest: Bytes, sender: string) => Promise<Bytes>
  readonly random: () => number
}

export interface MergeOptions {
  /** Whether a known sender reports the root. */
  readonly known: boolean
  /** Whether the sender's providers are asked for the nodes. Otherwise the engine finds providers. */
  readonly hinted: boolean
  /** By this factor more entries than usual may be unproven. */
  readonly patience: number
}

/** While a walk has brought nothing yet, this many entries of a leaf are checked first. */
const sample = 4
/** A refused entry counts this many times its bytes, because it costs a signature check. */
const refusedFactor = 4

/**
 * One walk through the index of other peers: fetches the nodes that differ and takes their entries. It begins with one
 * node at a time, and requests more at once with each leaf that brings something new. So a root that brings nothing
 * costs little, whoever reports it.
 */
export class Merge {
  readonly ticket: Ticket
  /** The bytes of new valid entries that the walk has brought, and their number. */
  gained = 0
  taken = 0
  /** The bytes fetched; those since it last brought something new; and when it last did. */
  fetched = 0
  barren = 0
  progressAt: number
  readonly since: number
  /** The number of entries below the root, once its node is here. */
  count: number | undefined
  readonly #parts: MergeParts
  readonly #stopping: AbortController = new AbortController()
  readonly #signal: AbortSignal
  readonly #borrowed: Bytes[] = []
  readonly #providers: readonly PeerInfo[]
  readonly #patience: number
  readonly #carried: Carried = new Carried()
  #wrong = 0
  #trusted: boolean
  #window: number
  #whole = true
  /** Milliseconds spent waiting for blocks that came by asking all peers. The time limit of the walk grows by them. */
  #waited = 0
  #generation = 0
  #resume: (() => void) | undefined
  #paused: Promise<void> | undefined

  constructor(ticket: Ticket, { known, hinted, patience }: MergeOptions, parts: MergeParts, signal: AbortSignal) {
    this.ticket = ticket
    this.#providers = hinted ? ticket.providers : []
    this.#parts = parts
    this.#patience = patience
    this.#trusted = known
    this.#window = known ? limits.readAhead : 1
    this.#signal = AbortSignal.any([signal, this.#stopping.signal])
    this.since = parts.timers.now()
    this.progressAt = this.since
  }

  /** Whether the walk has brought nothing new for too long. */
  get isLate(): boolean {
    const { timers, period } = this.#parts
    return timers.now() - this.progressAt > limits.barrenPeriods * period * this.#leniency + this.#waited
  }

  /** Whether it found entries that nothing proves so far. */
  get doubtful(): boolean {
    return this.#wrong > 0
  }

  get #leniency(): number {
    return this.doubtful ? this.#patience : 1
  }

  get paused(): boolean {
    return this.#paused !== undefined
  }

  pause(): void {
    this.#paused ??= new Promise<void>((resolve) => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.#resume?.()
    this.#paused = undefined
    this.progressAt = this.#parts.timers.now()
  }

  stop(): void {
    this.#stopping.abort()
    this.resume()
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /**
   * Runs the walk. Returns whether everything below the root is here now. Rejects with `Malformed` for an index that
   * contradicts itself, with `Unusable`, with `Spent`, or because a node could not be fetched.
   */
  async run(): Promise<boolean> {
    const { bounds, committer, solid } = this.#parts
    this.#generation = committer.generation
    try {
      const leaves = walk({
        root: this.ticket.root,
        bounds,
        window: () => this.#window,
        fetch: async (digest) => await this.#fetch(digest),
        known: async (level, children) => {
          const own = await this.#parts.levels.nodes(
            level,
            children.map(({ key }) => key)
          )
          return children.map(({ digest }, i) => {
            const mine = own[i]
            return (mine !== undefined && equalBytes(mine.digest, digest)) || solid.has(digest)
          })
        },
        counted: (count) => {
          this.count = count
        }
      })
      await this.#take(leaves)
      return this.#whole
    } finally {
      this.#stopping.abort()
      void this.#parts.blocks.release(this.#borrowed)
    }
  }

  async #fetch(digest: Bytes): Promise<Bytes> {
    while (this.#paused !== undefined) await this.#paused
    this.#signal.throwIfAborted()
    this.#borrowed.push(digest)
    const bytes = await this.#get(digest)
    this.fetched += bytes.length
    this.barren += bytes.length
    return bytes
  }

  /**
   * Once a node came only by asking all peers, the nodes below it are requested that way at once: one request serves
   * all of them.
   */
  async #get(digest: Bytes): Promise<Bytes> {
    const { blocks, timers, period, ask } = this.#parts
    const since = timers.now()
    if (this.#waited === 0) {
      try {
        return await blocks.fetch(digest, {
          providers: this.#providers,
          root: this.ticket.root,
          timeout: 2 * period,
          signal: this.#signal
        })
      } catch (error) {
        // One attempt is enough: other peers would have answered.
        if (this.#signal.aborted || this.ticket.tries > 0) throw error
      }
    }
    const bytes = await untilAborted(ask(digest, this.ticket.sender), this.#signal)
    this.#waited = Math.min(this.#waited + timers.now() - since, limits.askedPeriods * period)
    return bytes
  }

  /** Other cores check some batches while an earlier one is taken in. */
  async #take(leaves: AsyncIterable<Leaf>): Promise<void> {
    const ahead = new BatchesAhead()
    let batch = new Batch()
    const check = (): void => {
      if (batch.leaves.length > 0) ahead.push(batch, this.#parts.checks.many(batch.entries, this.ticket.sender))
      batch = new Batch()
    }
    const takeFirst = async (): Promise<void> => {
      const first = ahead.shift()
      await this.#takeBatch(first.batch, await first.checks)
    }
    for await (const leaf of leaves) {
      batch.push(leaf)
      await this.#parts.breather.before(bytesOf(leaf.entries), leaf.entries.length)
      if (!this.#trusted) await this.#probe(leaf)
      this.#checkLimits()
      // Leaves that are here do not wait for leaves that are not.
      if (this.#trusted && leaf.more && !batch.isFull) continue
      check()
      while (ahead.size > 0 && (!this.#trusted || ahead.isFull || ahead.isChecked)) await takeFirst()
    }
    check()
    while (ahead.size > 0) await takeFirst()
    // There is now room for the entries that did not fit.
    if (this.#carried.overflowed) throw new Spent()
    if (this.#carried.end().length > 0 && this.#whole) throw unsigned()
  }

  /** First checks a few entries of a stranger's leaf. */
  async #probe({ entries }: Leaf): Promise<void> {
    if (entries.length <= 2 * sample) return
    const some = new Set<EntryRecord>()
    for (let i = 0; i < sample; i++) {
      some.add(entries[Math.floor(this.#parts.random() * entries.length)] as EntryRecord)
    }
    const checked = await this.#parts.checks.many(
      entries.filter((entry) => some.has(entry)),
      this.ticket.sender
    )
    if (checked.some(({ check }) => check !== undefined && check !== 'known')) throw new Unusable()
    this.#checkSignatures(this.#wrong + wrongOf(checked))
  }

  async #takeBatch({ leaves }: Batch, fresh: readonly Candidate[]): Promise<void> {
    const { intake, committer, timers } = this.#parts
    const candidates = this.#carried.before(fresh)
    const outcomes = await intake.take(candidates, this.ticket.sender)
    await committer.room()
    // After a failed write, parents that were here may be gone. The index is not to blame.
    if (committer.generation !== this.#generation) throw new Error('a write of the store failed')
    this.#wrong += wrongOf(fresh)
    const entries = candidates.map(({ entry }) => entry)
    const taken = entries.filter((_, i) => outcomes[i] === 'added')
    const gained = bytesOf(taken)
    const refused = bytesOf(entries.filter((_, i) => outcomes[i] === 'refused'))
    if (refused > 0) this.#whole = false
    // Parents come before their children. So a parent that did not come, and was not refused, is not in the index.
    if (outcomes.includes('pending') && this.#whole) throw new Malformed('index that lacks a parent')
    const left = this.#carried.keep(candidates, outcomes)
    if (this.#carried.overflowed) this.#whole = false
    if (left.length > 0 && this.#whole) throw unsigned()
    this.#noteSolid(leaves, outcomes.slice(-fresh.length))
    this.taken += taken.length
    if (gained > 0) {
      this.gained += gained
      this.barren = 0
      this.progressAt = timers.now()
      this.#trusted = true
      this.#window = Math.min(2 * this.#window, limits.readAhead)
    }
    this.barren += refusedFactor * refused
    if (refused > 0 && !this.#trusted) throw new Unusable()
    this.#checkLimits()
  }

  #noteSolid(leaves: readonly Leaf[], outcomes: readonly Outcome[]): void {
    let at = 0
    for (const { digest, entries } of leaves) {
      const own = outcomes.slice(at, (at += entries.length))
      if (own.every((outcome) => outcome === 'added' || outcome === 'known')) this.#parts.solid.add(digest)
    }
  }

  #checkLimits(): void {
    this.#signal.throwIfAborted()
    this.#checkSignatures(this.#wrong)
    if (this.barren > limits.barrenBytes * this.#leniency || this.isLate) throw new Spent()
  }

  /**
   * Entries with wrong signatures may be proven further on, but each costs a check. Their number is bounded by the
   * number of new entries.
   */
  #checkSignatures(wrong: number): void {
    if (wrong < limits.wrongSignatures * this.#patience + this.taken) return
    this.#wrong = wrong
    throw new Spent()
  }
}

function bytesOf(entries: readonly EntryRecord[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function wrongOf(candidates: readonly Candidate[]): number {
  return candidates.filter(({ right }) => right === false).length
}

function unsigned(): Malformed {
  return new Malformed('index with an entry that its author has not signed')
}
