import type { Cryptography } from '@p2pl/core'
import type { ViewEvent } from '../api.ts'
import type { FairSlots } from '@p2pl/core/backend'
import type { Bytes } from '../bytes.ts'
import { proversOf } from '../entry/chains.ts'
import { signedPart } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { Committer } from '../replica/committer.ts'
import type { Candidate } from './admission.ts'

export type DropReason = Extract<ViewEvent, { type: 'dropped' }>['reason']

/**
 * What is wrong with an entry apart from its signature; `known` when it is here already; `undefined` when the entry
 * itself is right.
 */
export type Check = DropReason | 'known' | undefined

export interface ChecksOptions {
  readonly committer: Committer
  readonly cryptography: Cryptography
  readonly domain: Bytes
  readonly bounds: EntryBounds
  readonly slots: FairSlots
  /** Absent if all entries are valid. */
  readonly validate: ((entry: EntryRecord) => Promise<boolean>) | undefined
}

/** The checks of an entry that need no other entries: its bounds, its signature, and the application's rule. */
export class Checks {
  readonly #options: ChecksOptions

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  /** Checks a single entry. */
  async one(entry: EntryRecord, sender: string): Promise<Check> {
    const [present] = await this.#options.committer.present([entry])
    if (present === true) return 'known'
    if (this.#isOversized(entry)) return 'oversized'
    if (!(await this.#isSigned(entry, sender))) return 'forged'
    return (await this.#isValid(entry)) ? undefined : 'invalid'
  }

  /**
   * Checks entries in canonical order and leaves out those that are here already. It first checks only the signatures
   * that prove all others. As soon as one of them is wrong, it checks all signatures. Senders take turns.
   */
  async many(entries: readonly EntryRecord[], sender: string): Promise<Candidate[]> {
    const present = await this.#options.committer.present(entries)
    const candidates = entries.map((entry, i): Candidate => {
      const check = present[i] === true ? 'known' : this.#isOversized(entry) ? 'oversized' : undefined
      return { entry, check, right: undefined }
    })
    const fresh = candidates.filter(({ check }) => check === undefined)
    const provers = new Set(proversOf(fresh.map(({ entry }) => entry)))
    const proving = fresh.filter(({ entry }) => provers.has(entry))
    await this.signatures(proving, sender)
    if (proving.some(({ right }) => right === false)) await this.signatures(fresh, sender)
    if (this.#options.validate === undefined) return candidates
    await Promise.all(
      fresh.map(async (candidate) => {
        if (!(await this.#isValid(candidate.entry))) candidate.check = 'invalid'
      })
    )
    return candidates
  }

  /** Checks the signatures that have not been checked yet, in parallel. */
  async signatures(candidates: readonly Candidate[], sender: string): Promise<void> {
    await Promise.all(
      candidates.map(async (candidate) => {
        if (candidate.right === undefined) candidate.right = await this.#isSigned(candidate.entry, sender)
      })
    )
  }

  #isOversized({ parentIds, payloadBytes }: EntryRecord): boolean {
    const { bounds } = this.#options
    return parentIds.length > bounds.maxParents || payloadBytes > bounds.maxPayloadBytes
  }

  async #isValid(entry: EntryRecord): Promise<boolean> {
    return (await this.#options.validate?.(entry)) ?? true
  }

  async #isSigned(entry: EntryRecord, sender: string): Promise<boolean> {
    const { slots, cryptography, domain } = this.#options
    const { author, signature } = entry
    const signed = signedPart(domain, entry.bytes)
    try {
      return await slots.run(sender, async () => await cryptography.verify(author, signed, signature))
    } catch {
      // Some runtimes throw for keys that are not points on the curve.
      return false
    }
  }
}
