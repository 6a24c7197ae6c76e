import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { BoundedMap } from '@p2pl/core/backend'
import { nonceBytes, wholeShare } from '../wire/messages.ts'
import type { Ask } from '../wire/messages.ts'

/** Own questions whose answers still count. */
const rememberedNonces = 16
/** So few peers are all asked at once. */
const fewPeers = 8
/** Bytes that a question has for each answer that it may bring. */
const answerBytes = 512
const maxPadding: number = 32 * 1024

/** While somebody waits, questions follow each other after this part of a period, then twice that, up to a whole one. */
const firstPause = 0.25
/** While the view is behind, a question stands in every beacon, then in every second, up to every 16th. */
const longestSilence = 16

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
  /** Beacons that pass without a question while behind, and those that have passed. */
  #silence = 1
  #passed = 0
  #pause = firstPause
  #share = 0

  constructor(random: () => number, peers: () => number) {
    this.#random = random
    this.#peers = peers
  }

  /** Whether somebody waits; then questions do not wait for the next period. */
  get urgent(): boolean {
    return this.#waiting.size > 0
  }

  /** Until the next question, in periods. */
  get pause(): number {
    return this.#pause
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

  /** Whether others have what this view lacks and nothing comes. */
  set behind(behind: boolean) {
    if (behind === this.#behind) return
    this.#behind = behind
    this.#silence = 1
    this.#passed = 0
    if (!this.urgent) this.#share = 0
  }

  /** The question of the next beacon, and how many bytes the beacon should have besides. */
  next(): { ask: Ask | undefined; padding: number } {
    if (!this.urgent && !this.#isTime()) return { ask: undefined, padding: 0 }
    let wanted = this.#behind ? 2 : 1
    for (const { peers } of this.#waiting) wanted = Math.max(wanted, peers)
    const group = this.#peers()
    const first = group <= fewPeers ? wholeShare : Math.ceil((wholeShare * 2 * wanted) / group)
    if (this.#share >= wholeShare) this.#pause = Math.min(1, 2 * this.#pause)
    this.#share = Math.min(wholeShare, Math.max(2 * this.#share, first))
    const nonce = Uint8Array.from({ length: nonceBytes }, () => Math.floor(this.#random() * 256))
    this.#nonces.set(mapKey(nonce), true)
    const answers = Math.max(1, (this.#share / wholeShare) * group)
    return { ask: { nonce, share: this.#share }, padding: Math.min(maxPadding, Math.ceil(answers * answerBytes)) }
  }

  #isTime(): boolean {
    if (!this.#behind || ++this.#passed < this.#silence) return false
    this.#passed = 0
    if (this.#share >= wholeShare) this.#silence = Math.min(longestSilence, 2 * this.#silence)
    return true
  }

  /** Whether an answer with this nonce answers this view. */
  isOwn(nonce: Bytes): boolean {
    return this.#nonces.has(mapKey(nonce))
  }
}
