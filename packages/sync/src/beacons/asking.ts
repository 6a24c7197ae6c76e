import type { Bytes } from '../bytes.ts'
import { BoundedMap, bytesKey } from '@p2pl/core/backend'
import { nonceBytes, wholeShare } from '../wire/messages.ts'
import type { Ask } from '../wire/messages.ts'

/** How many of this view's own questions still accept answers. */
const rememberedNonces = 16
/** A group up to this size is asked as a whole. */
const fewPeers = 8
/** Padding of a question for each answer that it may bring, in bytes. */
const answerBytes = 256
const maxPadding: number = 8 * 1024

/** The pause between questions, as a part of a period. It doubles each time after all peers were asked. */
const firstPause = 0.25
/** The longest pauses in periods: while a caller waits, and while the view is behind. */
const longestPause = { waiting: 1, behind: 16 } as const

/**
 * The questions that this view asks in its beacons. It asks while a caller waits for equal peers, or while the view is
 * behind and receives nothing. In a large group it asks a few peers first, and doubles their number each time that was
 * not enough, because nobody knows how many peers there really are. After all peers were asked in vain, it asks less
 * and less often.
 */
export class Asking {
  readonly #random: () => number
  readonly #peers: () => number
  readonly #nonces: BoundedMap<string, true> = new BoundedMap(rememberedNonces)
  readonly #waiting: Set<{ readonly peers: number }> = new Set()
  #behind = false
  #pause = firstPause
  #share = 0

  constructor(random: () => number, peers: () => number) {
    this.#random = random
    this.#peers = peers
  }

  /** Whether a caller waits for equal peers. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** Periods until the next question; `undefined` when there is none. */
  get pause(): number | undefined {
    return this.isAwaited || this.#behind ? this.#pause : undefined
  }

  /** A caller waits for this many equal peers until it calls the returned function. */
  wait(peers: number): () => void {
    const one = { peers }
    this.#waiting.add(one)
    this.#share = 0
    this.#pause = firstPause
    return () => {
      this.#waiting.delete(one)
    }
  }

  /** Whether others may have something that this view lacks, and nothing arrives. */
  set behind(behind: boolean) {
    this.#behind = behind
  }

  /** Entries arrived, perhaps not all: the next question follows soon, to half as many peers as the last one. */
  gained(): void {
    this.#share = Math.floor(this.#share / 2)
    this.#pause = firstPause
  }

  /** The question of the next beacon, and how many bytes of padding the beacon should have. */
  next(): { ask: Ask | undefined; padding: number } {
    if (this.pause === undefined) return { ask: undefined, padding: 0 }
    let wanted = this.#behind ? 2 : 1
    for (const { peers } of this.#waiting) wanted = Math.max(wanted, peers)
    const group = this.#peers()
    const first = group <= fewPeers ? wholeShare : Math.ceil((wholeShare * 2 * wanted) / group)
    const longest = longestPause[this.isAwaited ? 'waiting' : 'behind']
    if (this.#share >= wholeShare) this.#pause = Math.min(longest, 2 * this.#pause)
    this.#share = Math.min(wholeShare, Math.max(2 * this.#share, first))
    const nonce = Uint8Array.from({ length: nonceBytes }, () => Math.floor(this.#random() * 256))
    this.#nonces.set(bytesKey(nonce), true)
    const answers = this.isAwaited ? Math.max(1, (this.#share / wholeShare) * group) : 0
    return { ask: { nonce, share: this.#share }, padding: Math.min(maxPadding, Math.ceil(answers * answerBytes)) }
  }

  /** Whether the nonce belongs to one of this view's questions. */
  isOwn(nonce: Bytes): boolean {
    return this.#nonces.has(bytesKey(nonce))
  }
}
