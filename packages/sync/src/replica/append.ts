import type { Identity } from '@p2pl/core'
import { invalid } from '../errors.ts'
import { compareBytes, concatBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { digestOf } from '../cid.ts'
import { decodeEntry, sealEntry } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import type { Head } from '../store/store.ts'
import { Slots } from '@p2pl/core/backend'
import { lostGround } from './committer.ts'
import type { Committer } from './committer.ts'

/**
 * Makes entries one after the other, each on top of the one before, so that a burst of appends becomes a chain and not a fan of
 * heads; being written is no part of it, so appends that come together share writes.
 */
export class Appender {
  readonly #committer: Committer
  readonly #identity: Identity
  readonly #domain: Bytes
  readonly #bounds: EntryBounds
  readonly #validate: (entry: EntryRecord) => Promise<boolean>
  readonly #building: Slots = new Slots(1)

  constructor(
    committer: Committer,
    identity: Identity,
    domain: Bytes,
    bounds: EntryBounds,
    validate: (entry: EntryRecord) => Promise<boolean>
  ) {
    this.#committer = committer
    this.#identity = identity
    this.#domain = domain
    this.#bounds = bounds
    this.#validate = validate
  }

  async append(
    payload: Uint8Array,
    options: { parents?: readonly unknown[] | undefined; identity?: Identity | undefined },
    check: () => void
  ): Promise<{ entry: EntryRecord; synced: Promise<void> }> {
    const { maxPayloadBytes } = this.#bounds
    if (!(payload instanceof Uint8Array)) {
      throw invalid('append', `a payload is a Uint8Array, not ${nameOf(payload)}: encode text with a TextEncoder`)
    }
    if (payload.length > maxPayloadBytes) {
      const fix = `store it with peer.data.add and append its CID, or raise maxPayloadBytes on every peer`
      throw invalid(
        'append',
        `the payload has ${payload.length} bytes, at most ${maxPayloadBytes}: ${fix}`,
        'TOO_LARGE'
      )
    }
    const chosen = options.parents === undefined ? undefined : this.#digests(options.parents)
    const identity = options.identity ?? this.#identity
    // The caller may use its array again.
    const own = concatBytes(payload)
    return await this.#building.run(async () => {
      check()
      const { generation } = this.#committer
      const { digests, clock } = chosen === undefined ? this.#tips(identity.publicKey) : await this.#clock(chosen)
      const fields = { parents: digests, clock, author: identity.publicKey, payload: own }
      const bytes = await sealEntry(this.#domain, fields, async (input) => await identity.sign(input))
      const entry = await decodeEntry(bytes, this.#bounds)
      if (!(await this.#validate(entry))) throw invalid('append', 'the validate option refuses this entry')
      check()
      if (generation !== this.#committer.generation) throw lostGround()
      const synced = this.#committer.stage(entry, true)
      // Also observed by the caller; without this line an abandoned append would be an unhandled rejection.
      synced.catch(() => undefined)
      return { entry, synced }
    })
  }

  #digests(parents: readonly unknown[]): Bytes[] {
    const { maxParents } = this.#bounds
    const digests = parents.map((parent) => {
      const digest = digestOf(parent)
      if (digest === undefined) throw invalid('append', `parents: ${String(parent)} is not the CID of an entry`)
      return digest
    })
    digests.sort(compareBytes)
    const unique = digests.filter((one, i) => i === 0 || compareBytes(digests[i - 1] as Bytes, one) !== 0)
    if (unique.length > maxParents) throw invalid('append', `${unique.length} parents, at most ${maxParents}`)
    return unique
  }

  async #clock(digests: Bytes[]): Promise<{ digests: Bytes[]; clock: number }> {
    let largest = 0
    for (const digest of digests) {
      const clock = await this.#committer.clockOf(mapKey(digest), digest)
      if (clock === undefined) throw invalid('append', 'parents: an entry that is not in this view (yet)')
      largest = Math.max(largest, clock)
    }
    return { digests, clock: largest + 1 }
  }

  /**
   * The author's own tip, so that their entries stay in the order of their appends; the newest heads, so that the clock is above all
   * that was seen and what is written now grows together; and the oldest ones, so that none is left behind for ever.
   */
  #tips(author: Bytes): { digests: Bytes[]; clock: number } {
    const { maxParents } = this.#bounds
    const { tips } = this.#committer
    const own = this.#committer.tipOf(author)
    const newest = tips.newest(maxParents)
    const old = tips.size <= maxParents ? [] : tips.oldest(maxParents)
    const half = Math.ceil(maxParents / 2)
    const chosen = new Map<string, Head>()
    const candidates = [...(tips.size <= maxParents ? [] : [own]), ...newest.slice(0, half), ...old, ...newest]
    for (const tip of candidates) {
      if (tip !== undefined && chosen.size < maxParents) chosen.set(mapKey(tip.digest), tip)
    }
    return ontopOf([...chosen.values()])
  }
}

function ontopOf(parents: readonly Head[]): { digests: Bytes[]; clock: number } {
  const newest = parents.reduce((largest, { clock }) => Math.max(largest, clock), 0)
  return { digests: parents.map(({ digest }) => digest).sort(compareBytes), clock: newest + 1 }
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return (value as { constructor?: { name?: string } }).constructor?.name ?? 'object'
}
