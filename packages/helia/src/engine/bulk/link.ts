import type { Asker } from './asker.ts'
import type { Channel } from './channel.ts'
import type { Want } from './want.ts'

/** Bytes that are asked of one peer at a time, judged by the blocks that it sent before. */
const windowBytes = 8 * 1024 * 1024
const maxWants = 512
/** A peer that has sent nothing yet is asked for blocks of this size. */
const firstAverage = 256 * 1024
/** With fewer bytes to come than this, a peer will soon have nothing to do. */
const lowBytes = 2 * 1024 * 1024

/** Another peer of the bulk exchange, and how well it delivers. */
export class Link {
  readonly id: string
  readonly #open: () => void
  #channel: Channel | undefined
  #opening = false
  /** Channels that were replaced by a better one, while answers still come on them. */
  readonly #old = new Set<Asker>()
  #average = firstAverage
  /** Bytes a millisecond, while something was outstanding. */
  #rate: number | undefined
  #since = 0
  #bytes = 0
  /** When it last sent anything. */
  heardAt = 0
  /** How often in a row it lacked a block. */
  misses = 0
  /** It owes blocks, and sends nothing. */
  stalled = false
  /** Channels in a row that ended while it owed blocks. */
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

  /** The channel has ended. Returns what it owed. */
  lose(channel: Channel): Want[] {
    this.#old.delete(channel.asker)
    if (this.#channel === channel) this.#channel = undefined
    if (channel.asker.size > 0) this.failures++
    // Nothing would come any more that shows that it does answer.
    if (this.size === 0) this.stalled = false
    return [...channel.asker.wants()]
  }

  /** Whether it can be asked for one more block. Opens a channel where there is none. */
  get hasRoom(): boolean {
    if (this.#channel?.open === true)
      return this.size < maxWants && (this.size < 4 || this.size * this.#average < windowBytes)
    if (!this.#opening) {
      this.#opening = true
      this.#open()
    }
    return false
  }

  /** Wants that it has not answered. */
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

  /** Milliseconds until one more block would be here. */
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

  /** The wants that it would answer last come first. */
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
