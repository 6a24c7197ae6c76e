import type { Bytes } from '../bytes.ts'
import { BoundedMap, bytesKey } from '@p2pl/core/backend'
import { nonceBytes, wholeShare } from '../wire/messages.ts'
import type { Ask } from '../wire/messages.ts'

/** Own questions whose answers still count. */
const rememberedNonces = 16
/** So few peers are all asked at once. */
const fewPeers = 8
/** Bytes that a question has for each answer that it may bring. */
const answerBytes = 256
const maxPadding: number = 8 * 1024

/** Questions follow each other after this part of a period; once everybody was asked, after twice that, and so on. */
const firstPause = 0.25
/** The longest pauses in periods: while somebody waits, and while the view is behind. */
const longestPause = { waiting: 1, behind: 16 } as const

/**
 * The questions that this view asks in its beacons: somebody waits for equal peers, or the view is behind and nothing comes. Of a large
 * group a few are asked first, and twice as many each time that was not enough: how many there really are nobody knows. When everybody was
 * asked in vain, it asks less and less often.
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

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** Until the next question in periods; nothing when there is none. */
  get pause(): number | undefined {
    return this.isAwaited || this.#behind ? this.#pause : undefined
  }

  /** Somebody waits for so many equal peers, until the result is called. */
  wait(peers: number): () => void {
    const one = { peers }
    this.#waiting.add(one)
    this.#share = 0
    this.#pause = firstPause
    return () => {
      this.#waiting.delete(one)
    }
  }

  /** Whether others may have what this view lacks, and nothing comes. */
  set behind(behind: boolean) {
    this.#behind = behind
  }

  /** Something came, perhaps not all of it: the next question comes soon, and goes to half as many as the last one. */
  gained(): void {
    this.#share = Math.floor(this.#share / 2)
    this.#pause = firstPause
  }

  /** The question of the next beacon, and how many bytes the beacon should have besides. */
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

  /** Whether an answer with this nonce answers this view. */
  isOwn(nonce: Bytes): boolean {
    return this.#nonces.has(bytesKey(nonce))
  }
}
