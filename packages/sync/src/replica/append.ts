import type { Identity } from '@p2pl/core'
import { checkIdentity, describe, isBytes, Slots } from '@p2pl/core/backend'
import { invalid } from '../errors.ts'
import { compareBytes, concatBytes, equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { digestOf } from '../cid.ts'
import { sealEntry } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { signatureBytes } from '../entry/record.ts'
import { vouchingReach } from '../limits.ts'
import type { Head } from '../store/heads.ts'
import { lostGround } from './committer.ts'
import type { Committer } from './committer.ts'
import { OwnChains } from './own-chains.ts'

/**
 * Creates entries one after the other, each on top of the last, so that a burst of appends becomes a chain and not a
 * fan of heads. It does not wait for writes, so concurrent appends share them.
 */
export class Appender {
  readonly #committer: Committer
  readonly #identity: Identity
  readonly #domain: Bytes
  readonly #bounds: EntryBounds
  readonly #validate: ((entry: EntryRecord) => Promise<boolean>) | undefined
  readonly #building: Slots = new Slots(1)
  readonly #chains: OwnChains = new OwnChains()

  constructor(
    committer: Committer,
    identity: Identity,
    domain: Bytes,
    bounds: EntryBounds,
    validate: ((entry: EntryRecord) => Promise<boolean>) | undefined
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
    if (!isBytes(payload)) {
      throw invalid('append', `a payload is a Uint8Array, not ${describe(payload)}: encode text with a TextEncoder`)
    }
    if (payload.length > maxPayloadBytes) {
      const fix = `store it with peer.data.add and append its CID, or raise maxPayloadBytes on every peer`
      throw invalid(
        'append',
        `the payload has ${payload.length} bytes, at most ${maxPayloadBytes}: ${fix}`,
        'TOO_LARGE'
      )
    }
    checkIdentity('append', options.identity)
    const chosen = options.parents === undefined ? undefined : this.#digests(options.parents)
    const identity = options.identity ?? this.#identity
    // The caller may reuse its array.
    const own = concatBytes(payload)
    return await this.#building.run(async () => {
      check()
      const { generation } = this.#committer
      const author = identity.publicKey
      // With parents that the caller chose, an entry depends only on the arguments: the same append gives the same
      // entry.
      const latest = chosen === undefined ? this.#chains.latest(author, generation) : undefined
      const { digests, clock } = chosen === undefined ? this.#tips(author, latest) : await this.#clock(chosen)
      const previous = latest === undefined ? 0 : digests.findIndex((digest) => equalBytes(digest, latest.digest)) + 1
      const fields = { parents: digests, previous, clock, author, payload: own }
      const entry = await sealEntry(this.#domain, fields, async (input) => checked(await identity.sign(input)))
      if (this.#validate !== undefined && !(await this.#validate(entry)))
        throw invalid('append', 'the validate option refuses this entry')
      check()
      if (generation !== this.#committer.generation) throw lostGround()
      const synced = this.#committer.stage([{ entry, local: true, live: true }])
      // The caller also observes it. Without this line an abandoned append would be an unhandled rejection.
      synced.catch(() => undefined)
      this.#chains.appended(entry, generation)
      return { entry, synced }
    })
  }

  #digests(parents: readonly unknown[]): Bytes[] {
    const { maxParents } = this.#bounds
    if (!Array.isArray(parents)) throw invalid('append', `parents must be a list of CIDs, not ${describe(parents)}`)
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
   * The parents of a new entry: the author's latest entry, for which the new signature vouches, unless it is too far
   * below; the author's own tip, which keeps their entries in the order of their appends; the newest heads, so that the
   * clock is above all that was seen and concurrent branches join; and the oldest heads, so that none is left behind
   * for ever.
   */
  #tips(author: Bytes, latest: Head | undefined): { digests: Bytes[]; clock: number } {
    const { maxParents } = this.#bounds
    const { tips } = this.#committer
    const newest = tips.newest(maxParents)
    const isNear = latest !== undefined && latest.clock + vouchingReach > (newest[0]?.clock ?? 0)
    // With few parents, all of them should be heads, because only new entries join the heads.
    const candidates: (Head | undefined)[] = isNear && maxParents > 3 ? [latest] : []
    if (tips.size <= maxParents) candidates.push(...newest)
    else {
      const half = Math.ceil(maxParents / 2)
      candidates.push(this.#committer.tipOf(author), ...newest.slice(0, half), ...tips.oldest(maxParents), ...newest)
    }
    const chosen = new Map<string, Head>()
    for (const tip of candidates) {
      if (tip !== undefined && chosen.size < maxParents) chosen.set(tip.id, tip)
    }
    return ontopOf([...chosen.values()])
  }
}

function checked(signature: Bytes): Bytes {
  if (isBytes(signature) && signature.length === signatureBytes) return signature
  const given = isBytes(signature) ? `${signature.length} bytes` : describe(signature)
  throw invalid('append', `the identity must sign with ${signatureBytes} bytes of ed25519, not ${given}`)
}

function ontopOf(parents: readonly Head[]): { digests: Bytes[]; clock: number } {
  const newest = parents.reduce((largest, { clock }) => Math.max(largest, clock), 0)
  return { digests: parents.map(({ digest }) => digest).sort(compareBytes), clock: newest + 1 }
}
