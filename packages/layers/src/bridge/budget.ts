import { BoundedMap, type Clock } from '@p2pl/core/backend'

/** The capacity of a bucket, in seconds at its rate. */
const burstSeconds = 30
/** The limit for all senders together, as a multiple of one sender's limit. Identities are free. */
const shares = 16
/** Senders whose use is remembered. */
const maxSenders = 4_096

interface Bucket {
  tokens: number
  at: number
}

/** Limits the bytes per second that one sender may cause, and the sum over all senders. */
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

  /** Whether the sender may have the bytes. If so, they are taken. */
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
