import { type CallOptions, isP2plError, type Peer, type Receipt } from '@p2pl/core'
import type { HourlyBudget } from './budget.ts'
import { asP2plError } from './errors.ts'
import type { Held, Kept } from './kept.ts'
import type { Settings } from './options.ts'
import { ranked } from './placement.ts'
import type { Roster } from './roster.ts'

/** A call ends after this many milliseconds without a further acknowledgement. */
const patience = 30_000
/** How long a failed peer is left alone for this content, in milliseconds. */
const cooldown = 300_000
/** The random part of the pause between two proofs. */
const jitter = 0.3

export interface WorkParts {
  readonly peer: Peer
  readonly settings: Settings
  readonly roster: Roster
  readonly bytes: HourlyBudget
  readonly copies: HourlyBudget
  readonly signal: AbortSignal
  /** False once replication is paused. */
  readonly active: () => boolean
}

/** The work for one CID. */
export class Work {
  readonly #parts: WorkParts

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  get #now(): number {
    return this.#parts.peer.environment.clock.now()
  }

  /** Looks after one CID: finds earlier copies, asks for proofs that are due, makes missing copies, and gives up surplus ones. */
  async tend(kept: Kept): Promise<void> {
    const { roster, settings, active } = this.#parts
    if (!kept.sought) await this.#seek(kept)
    this.#hear(kept)
    if (kept.due <= this.#now && active()) await this.#prove(kept)
    // Only peers can be silent; a service is asked. The time that a long round takes does not count as silence.
    for (const [name, { kind, heard }] of kept.held) {
      if (kind === 'peer' && roster.lookedAt - heard > settings.grace) kept.held.delete(name)
    }
    if (!active()) return
    if (kept.held.size < kept.min) await this.#repair(kept)
    else {
      kept.why = undefined
      if (kept.held.size > kept.max) await this.#trim(kept)
    }
  }

  /** Ends copies. Best effort: a copy at a peer that does not hear of it ends with its term. */
  async giveUp(kept: Kept, names: readonly string[], options: CallOptions = {}): Promise<void> {
    const { peer, settings, signal } = this.#parts
    const peers = names.filter((name) => kept.held.get(name)?.kind === 'peer')
    const services = names.flatMap((name) =>
      kept.held.get(name)?.kind === 'service' ? [settings.services.get(name)] : []
    )
    for (const name of names) kept.held.delete(name)
    if (peers.length > 0) await peer.data.release(kept.cid, { signal, ...options, peers })
    for (const service of services) await service?.release(kept.cid, { signal: options.signal ?? signal })
  }

  /**
   * Finds copies that were made before this process began, or by another peer that keeps the same content. They are at the
   * peers that rank first.
   */
  async #seek(kept: Kept): Promise<void> {
    const { roster, settings, signal } = this.#parts
    const order = await ranked(kept.cid, roster.peers)
    await this.#ask(kept, order.slice(0, kept.max + 1), false)
    for (const service of settings.services.values()) {
      try {
        if (await service.has(kept.cid, { signal })) kept.proved(service.name, 'service', this.#now)
      } catch (error) {
        // The other services may have copies nevertheless.
        kept.error = asP2plError(error, 'replication')
      }
    }
    kept.sought = true
    this.#proveLater(kept)
  }

  /** A peer that answers still has its copies, until a proof fails. */
  #hear(kept: Kept): void {
    for (const [name, copy] of kept.held) {
      if (copy.kind === 'peer') copy.heard = Math.max(copy.heard, this.#parts.roster.heard(name) ?? 0)
    }
  }

  /** Also renews the term at the peers. One proof may get lost, so a copy is given up only after two failed proofs in a row. */
  async #prove(kept: Kept): Promise<void> {
    const { settings, roster, signal } = this.#parts
    this.#proveLater(kept)
    const before = [...kept.held].filter(([, { kind }]) => kind === 'peer').map(([name]) => name)
    const proven = await this.#ask(kept, before)
    for (const name of before) {
      const copy = kept.held.get(name)
      // Silence tells that a peer is gone.
      if (copy === undefined || proven.has(name) || roster.heard(name) === undefined) continue
      this.#failed(kept, name, copy)
    }
    for (const [name, copy] of kept.held) {
      if (copy.kind !== 'service') continue
      const has = await settings.services
        .get(name)
        ?.has(kept.cid, { signal })
        .catch(() => undefined)
      if (has === true) kept.proved(name, 'service', this.#now)
      else if (has === false) kept.held.delete(name)
      else this.#failed(kept, name, copy)
    }
  }

  #failed(kept: Kept, name: string, copy: Held): void {
    if (++copy.failures >= 2) kept.held.delete(name)
    else kept.due = Math.min(kept.due, this.#now + this.#parts.settings.grace / 2)
  }

  #proveLater(kept: Kept): void {
    const { peer, settings } = this.#parts
    kept.due = this.#now + settings.proveEvery * (1 - jitter * peer.environment.random())
  }

  async #repair(kept: Kept): Promise<void> {
    const { roster, settings, bytes, copies } = this.#parts
    for (const [name, until] of kept.failed) if (until <= this.#now) kept.failed.delete(name)
    const names = [...roster.candidates(kept.bytes ?? 0), ...settings.services.keys()]
    const free = (await ranked(kept.cid, names)).filter((name) => !kept.held.has(name) && !kept.failed.has(name))
    if (free.length === 0) {
      kept.why = kept.failed.size > 0 ? 'failed' : 'no-peers'
      return
    }
    // Only one copy while the size is unknown: its acknowledgement tells the size.
    const missing = kept.bytes === undefined ? 1 : target(kept) - kept.held.size
    const chosen: string[] = []
    for (const name of free.slice(0, missing)) {
      if (!copies.has(1) || !bytes.has(kept.bytes ?? 1)) break
      copies.take(1)
      bytes.take(kept.bytes ?? 1)
      chosen.push(name)
    }
    if (chosen.length === 0) {
      kept.why = 'budget'
      return
    }
    const unknown = kept.bytes === undefined
    await this.#place(kept, chosen)
    if (unknown && kept.bytes !== undefined) bytes.take(kept.bytes - 1)
    if (kept.held.size >= kept.min) kept.why = undefined
    // The size is known now, or it is the turn of the next candidates in the ranking.
    else if (this.#parts.active() && free.length > chosen.length) await this.#repair(kept)
    else kept.why = 'failed'
  }

  async #place(kept: Kept, names: readonly string[]): Promise<void> {
    const { settings, peer, signal } = this.#parts
    const peers = names.filter((name) => !settings.services.has(name))
    const placing = names
      .flatMap((name) => settings.services.get(name) ?? [])
      .map(async (service) => {
        try {
          await service.keep(kept.cid, { providers: peer.network.self(), signal })
          kept.proved(service.name, 'service', this.#now)
        } catch (error) {
          kept.error = asP2plError(error, 'replication')
        }
      })
    await Promise.all([this.#ask(kept, peers), ...placing])
    for (const name of names) if (!kept.held.has(name)) kept.failed.set(name, this.#now + cooldown)
  }

  /** Copies with the lowest ranks go first. */
  async #trim(kept: Kept): Promise<void> {
    const order = await ranked(kept.cid, [...kept.held.keys()])
    await this.giveUp(kept, order.slice(kept.max))
  }

  /** Returns the peers that have proven that they have the content. */
  async #ask(kept: Kept, peers: readonly string[], fetch = true): Promise<ReadonlySet<string>> {
    if (peers.length === 0) return new Set()
    const { peer, signal } = this.#parts
    let receipt: Receipt | undefined
    try {
      // The goal is all of them, so no peer is left out because others were faster.
      const timeout = patience + (kept.bytes ?? 0) / 256
      receipt = await peer.data.reach(kept.cid, { peers, replicas: peers.length, fetch, signal, timeout })
    } catch (error) {
      if (!isP2plError(error) || error.reached === undefined) throw error
      kept.error = error
      receipt = error.reached
    }
    for (const { peer: name, bytes } of receipt.acknowledgements) {
      kept.bytes = bytes
      kept.proved(name, 'peer', this.#now)
    }
    return new Set(receipt.acknowledgements.map(({ peer: name }) => name))
  }
}

/** Halfway between min and max, so that a single peer that leaves or returns triggers no work. */
function target({ min, max }: Kept): number {
  return Math.ceil((min + max) / 2)
}
