import type { Cryptography } from '@p2pl/core'
import type { ViewEvent } from '../api.ts'
import type { FairSlots } from '../budget/slots.ts'
import type { Bytes } from '../bytes.ts'
import { signedPart } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { Committer } from '../replica/committer.ts'

export type DropReason = Extract<ViewEvent, { type: 'dropped' }>['reason']

/** What is wrong with an entry, `known` when it is here already, and nothing when it is right in itself. */
export type Check = DropReason | 'known' | undefined

export interface ChecksOptions {
  readonly committer: Committer
  readonly cryptography: Cryptography
  readonly domain: Bytes
  readonly bounds: EntryBounds
  readonly slots: FairSlots
  readonly validate: (entry: EntryRecord) => Promise<boolean>
}

/** What can be said of an entry by itself: its bounds, its signature, the rule of the application. */
export class Checks {
  readonly #options: ChecksOptions

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  async one(entry: EntryRecord, sender: string): Promise<Check> {
    const [check] = await this.many([entry], sender)
    return check
  }

  /** All side by side, those that are here already left out. Senders take turns. */
  async many(entries: readonly EntryRecord[], sender: string): Promise<Check[]> {
    const present = await this.#options.committer.present(entries)
    return await Promise.all(
      entries.map(async (entry, i) => (present[i] === true ? 'known' : await this.#fault(entry, sender)))
    )
  }

  async #fault(entry: EntryRecord, sender: string): Promise<DropReason | undefined> {
    const { bounds, slots, cryptography, domain, validate } = this.#options
    if (entry.parents.length > bounds.maxParents || entry.payload.length > bounds.maxPayloadBytes) return 'oversized'
    try {
      const signed = signedPart(domain, entry.bytes)
      const right = await slots.run(
        sender,
        async () => await cryptography.verify(entry.author, signed, entry.signature)
      )
      if (!right) return 'forged'
    } catch {
      // Keys that are no points on the curve make some runtimes throw.
      return 'forged'
    }
    return (await validate(entry)) ? undefined : 'invalid'
  }
}
