import type { Asker } from './asker.ts'
import type { Channel } from './channel.ts'
import type { Want } from './want.ts'

/** The most bytes that are requested from one peer at a time, estimated from the blocks that it has sent. */
const windowBytes = 8 * 1024 * 1024
const maxWants = 512
/** The assumed block size of a peer that has sent nothing yet. */
const firstAverage = 256 * 1024
/** With fewer outstanding bytes than this, a peer will soon be idle. */
const lowBytes = 2 * 1024 * 1024

/** Another peer that speaks the bulk exchange, and how well it delivers. */
export class Link {
  readonly id: string
  readonly #open: () => void
  #channel: Channel | undefined
  #opening = false
  /** Channels that a better one replaced, while answers still arrive on them. */
  readonly #old = new Set<Asker>()
  #average = firstAverage
  /** Bytes per millisecond, measured while something was outstanding. */
  #rate: number | undefined
  #since = 0
  #bytes = 0
  /** When the peer last sent anything. */
  heardAt = 0
  /** The number of consecutive blocks that it lacked. */
  misses = 0
  /** Whether it owes blocks but sends nothing. */
  stalled = false
  /** The number of consecutive channels that ended while it owed blocks. */
  failures = 0

  constructor(id: string, open: (link: Link) => void) {
    this.id = id
    this.#open = () => open(this)
  }

  get channel(): Channel | undefined {
    return this.#channel
  }

  use(channel: Channel): void {
    this.#opening = false
    if (this.#channel !== undefined && this.#channel.asker.size > 0) this.#old.add(this.#channel.asker)
    this.#channel = channel
  }

  /** The channel has ended. Returns the wants that it left unanswered. */
  lose(channel: Channel): Want[] {
    this.#old.delete(channel.asker)
    if (this.#channel === channel) this.#channel = undefined
    if (channel.asker.size > 0) this.failures++
    // With nothing outstanding, no answer would show that the peer is responsive.
    if (this.size === 0) this.stalled = false
    return [...channel.asker.wants()]
  }

  /** Whether the peer can be asked for one more block. Opens a channel if there is none. */
  get hasRoom(): boolean {
    if (this.#channel?.open === true)
      return this.size < maxWants && (this.size < 4 || this.size * this.#average < windowBytes)
    if (!this.#opening) {
      this.#opening = true
      this.#open()
    }
    return false
  }

  /** The number of unanswered wants. */
  get size(): number {
    let size = this.#channel?.asker.size ?? 0
    for (const asker of this.#old) size += asker.size
    return size
  }

  get isLow(): boolean {
    return this.size * this.#average < lowBytes
  }

  get rate(): number | undefined {
    return this.#rate
  }

  /** The expected time in milliseconds until one more block would arrive. */
  expected(rate: number): number {
    return ((this.size + 1) * this.#average) / (this.#rate ?? rate)
  }

  want(want: Want, now: number): void {
    if (this.size === 0) {
      this.#since = now
      this.#bytes = 0
      this.heardAt = now
    }
    want.at.push(this)
    this.#channel?.asker.want(want)
  }

  ask(want: Want): boolean {
    return this.#channel?.open === true && this.#channel.asker.ask(want)
  }

  cancel(want: Want): void {
    this.#channel?.asker.cancel(want)
    for (const asker of this.#old) asker.cancel(want)
  }

  /** Unanswered wants, starting with those that it would answer last. */
  owed(): Want[] {
    return [...(this.#channel?.asker.wants() ?? [])].toReversed()
  }

  flush(): void {
    this.#channel?.asker.flush()
    for (const asker of this.#old) {
      asker.flush()
      if (asker.size === 0) this.#old.delete(asker)
    }
  }

  received(bytes: number, now: number): void {
    this.heardAt = now
    this.stalled = false
    this.#bytes += bytes
    const time = now - this.#since
    if (time < 50) return
    const rate = this.#bytes / time
    this.#rate = this.#rate === undefined ? rate : (this.#rate + rate) / 2
    this.#since = now
    this.#bytes = 0
  }

  delivered(bytes: number): void {
    this.misses = 0
    this.failures = 0
    this.#average += (bytes - this.#average) / 8
  }
}
