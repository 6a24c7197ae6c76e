import type { PeerInfo } from '@p2pl/core'
import { untilAborted } from '@p2pl/core/backend'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { Check, Checks } from '../intake/checks.ts'
import type { Intake } from '../intake/intake.ts'
import { limits } from '../limits.ts'
import type { Committer } from '../replica/committer.ts'
import type { BorrowedBlocks } from '../serve/borrowed.ts'
import type { Breather } from '../toolbox/breather.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { Levels } from '../tree/levels.ts'
import { walk } from '../tree/walk.ts'
import type { Leaf } from '../tree/walk.ts'
import { bytesOf, LeavesAhead } from './ahead.ts'
import type { SolidLeaves } from './solid-leaves.ts'
import type { Ticket } from './tickets.ts'

/** Some entries of the root are refused here: it can never be merged. */
export class Unusable extends Error {
  override readonly name: string = 'Unusable'
}

/** The walk has cost too much since it last gave something new. */
export class Spent extends Error {
  override readonly name: string = 'Spent'
}

/** What all walks share. */
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
  /** Asks everybody for a block that cannot be fetched. */
  readonly ask: (digest: Bytes, sender: string) => Promise<Bytes>
  readonly random: () => number
}

/** Entries of a leaf that are checked before the others while a walk has given nothing yet. */
const sample = 4
/** A refused entry cost a signature check, which takes as long as many bytes. */
const refusedFactor = 4

/**
 * One walk through the index of others: fetches the nodes that differ and takes their entries. It begins with one node at a time and
 * asks for more at once with each leaf that brings something new, so a root that gives nothing costs little, whoever reports it.
 */
export class Merge {
  readonly ticket: Ticket
  /** Bytes of new valid entries that it has brought, and their number. */
  gained = 0
  taken = 0
  /** Bytes fetched, those since it last brought something new, and when that was. */
  fetched = 0
  barren = 0
  progressAt: number
  readonly since: number
  /** The entries below the root, once its node is here. */
  count: number | undefined
  readonly #parts: MergeParts
  readonly #stopping: AbortController = new AbortController()
  readonly #signal: AbortSignal
  readonly #borrowed: Bytes[] = []
  readonly #providers: readonly PeerInfo[]
  #trusted: boolean
  #window: number
  #whole = true
  #generation = 0
  #resume: (() => void) | undefined
  #paused: Promise<void> | undefined

  /** `known`: a known sender reports the root. `hinted`: it is asked for the nodes; else the engine finds who has them. */
  constructor(
    ticket: Ticket,
    { known, hinted }: { readonly known: boolean; readonly hinted: boolean },
    parts: MergeParts,
    signal: AbortSignal
  ) {
    this.ticket = ticket
    this.#providers = hinted ? ticket.providers : []
    this.#parts = parts
    this.#trusted = known
    this.#window = known ? limits.readAhead : 1
    this.#signal = AbortSignal.any([signal, this.#stopping.signal])
    this.since = parts.timers.now()
    this.progressAt = this.since
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
   * Whether all that the root holds is here now. Rejects with `Malformed` for an index that contradicts itself, `Unusable`, `Spent`, or
   * because a node could not be fetched.
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
    const { blocks, period, ask } = this.#parts
    while (this.#paused !== undefined) await this.#paused
    this.#signal.throwIfAborted()
    this.#borrowed.push(digest)
    let bytes: Bytes
    try {
      bytes = await blocks.fetch(digest, {
        providers: this.#providers,
        root: this.ticket.root,
        timeout: 2 * period,
        signal: this.#signal
      })
    } catch (error) {
      // Once is enough: others would have answered.
      if (this.#signal.aborted || this.ticket.tries > 0) throw error
      bytes = await untilAborted(ask(digest, this.ticket.sender), this.#signal)
    }
    this.fetched += bytes.length
    this.barren += bytes.length
    return bytes
  }

  /** Some leaves are checked by other cores while the one before them is taken in. */
  async #take(leaves: AsyncIterable<Leaf>): Promise<void> {
    const ahead = new LeavesAhead()
    const takeFirst = async (): Promise<void> => {
      const { leaf, checks } = ahead.shift()
      await this.#takeLeaf(leaf, await checks)
    }
    for await (const leaf of leaves) {
      await this.#parts.breather.before(bytesOf(leaf.entries), leaf.entries.length)
      if (!this.#trusted) await this.#probe(leaf)
      this.#checkLimits()
      ahead.push(leaf, this.#check(leaf.entries))
      while (ahead.size > 0 && (!this.#trusted || ahead.isFull)) await takeFirst()
    }
    while (ahead.size > 0) await takeFirst()
  }

  async #check(entries: readonly EntryRecord[]): Promise<Check[]> {
    const { sender } = this.ticket
    return await this.#parts.checks.many(entries, sender)
  }

  /** A stranger's leaf is checked by a few entries first. */
  async #probe({ entries }: Leaf): Promise<void> {
    if (entries.length <= 2 * sample) return
    const some = new Set<EntryRecord>()
    for (let i = 0; i < sample; i++) {
      some.add(entries[Math.floor(this.#parts.random() * entries.length)] as EntryRecord)
    }
    const checks = await this.#check([...some])
    if (checks.includes('forged')) throw new Malformed('index with a forged entry')
    if (checks.some((check) => check !== undefined && check !== 'known')) throw new Unusable()
  }

  async #takeLeaf({ digest, entries }: Leaf, checks: readonly Check[]): Promise<void> {
    if (checks.includes('forged')) throw new Malformed('index with a forged entry')
    const { intake, committer, timers, solid } = this.#parts
    const { sender } = this.ticket
    const outcomes = await intake.takeMany(entries, checks, sender)
    // Where a write failed, parents may be gone that were here before: no fault of the index.
    if (committer.generation !== this.#generation) throw new Error('a write of the store failed')
    const taken = entries.filter((_, i) => outcomes[i] === 'added')
    const gained = bytesOf(taken)
    const refused = bytesOf(entries.filter((_, i) => outcomes[i] === 'refused'))
    if (refused > 0) this.#whole = false
    // Parents come before their children: one that does not, and was not refused, is not in the index.
    if (outcomes.includes('pending')) {
      if (this.#whole) throw new Malformed('index that lacks a parent')
    } else if (refused === 0) solid.add(digest)
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

  #checkLimits(): void {
    const { timers, period } = this.#parts
    this.#signal.throwIfAborted()
    const late = timers.now() - this.progressAt > limits.barrenPeriods * period
    if (this.barren > limits.barrenBytes || late) throw new Spent()
  }
}
