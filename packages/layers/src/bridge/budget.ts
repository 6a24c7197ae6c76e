import { BoundedMap, type Clock } from '@p2pl/core/backend'

/** What a bucket holds, in seconds of its rate. */
const burstSeconds = 30
/** All senders together, in shares of one: identities are free. */
const shares = 16
/** Senders whose use is remembered. */
const maxSenders = 4_096

interface Bucket {
  tokens: number
  at: number
}

/** Bytes per second that one sender may cause, and all of them together. */
export class Budget {
  readonly #rate: number
  readonly #clock: Clock
  readonly #senders = new BoundedMap<string, Bucket>(maxSenders)
  readonly #total: Bucket

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#rate = bytesPerSecond
    this.#total = { tokens: bytesPerSecond * burstSeconds * shares, at: clock.now() }
  }

  /** Whether the sender may have them; then they are taken. */
  take(sender: string, bytes: number): boolean {
    const now = this.#clock.now()
    const own = this.#senders.touch(sender) ?? { tokens: this.#rate * burstSeconds, at: now }
    this.#senders.set(sender, own)
    fill(own, this.#rate, now)
    fill(this.#total, this.#rate * shares, now)
    if (own.tokens < bytes || this.#total.tokens < bytes) return false
    own.tokens -= bytes
    this.#total.tokens -= bytes
    return true
  }
}

function fill(bucket: Bucket, rate: number, now: number): void {
  bucket.tokens = Math.min(rate * burstSeconds, bucket.tokens + (rate * (now - bucket.at)) / 1_000)
  bucket.at = now
}
