import { equalBytes } from '@p2pl/core/backend'
import type { RoomPeer } from '../api.ts'
import type { Beat, Frame } from '../wire/frame.ts'
import { Seen } from '../seen.ts'

/** How much older than this peer's own stay a message may seem, in milliseconds. Anything older is a recording. */
const slack = 10_000
const periods = { least: 500, most: 120_000 } as const
/** Number of beats that may be missed before a peer counts as gone. */
const missedBeats = 3

/** One visit of another peer. */
export class RemoteStay {
  readonly sender: string
  readonly id: Uint8Array
  /** `here`: it has shown that it is live, by naming the random id of this peer's stay. `ended`: it has said goodbye. */
  state: 'unproven' | 'here' | 'ended' = 'unproven'
  /** Whether this peer has named it in a beat. */
  echoed = false
  account: string | undefined
  lastHeard: number
  readonly #seen = new Seen()
  #beat: Beat | undefined
  #beatNumber = -1
  /** Own clock minus the age of the stay. The smallest value comes from the frame that was delayed least. */
  #offset = Infinity

  constructor(sender: string, id: Uint8Array, now: number) {
    this.sender = sender
    this.id = id
    this.lastHeard = now
  }

  /** Returns false for a frame that was there before. */
  hear(frame: Frame, now: number): boolean {
    if (this.state === 'ended' || !this.#seen.add(frame.n)) return false
    this.lastHeard = now
    return true
  }

  /** Returns true when its name has changed. A stay never changes its key. */
  learn(beat: Beat & Frame, now: number): boolean {
    if (this.#beat !== undefined && !equalBytes(this.#beat.key, beat.key)) return false
    this.#offset = Math.min(this.#offset, now - beat.age)
    if (beat.n < this.#beatNumber) return false
    const changed = this.#beat !== undefined && this.#beat.name !== beat.name
    this.#beat = beat
    this.#beatNumber = beat.n
    return changed
  }

  get beat(): Beat | undefined {
    return this.#beat
  }

  get peer(): RoomPeer {
    return { id: this.sender, name: this.#beat?.name, account: this.account }
  }

  /** Whether a frame was sent after this peer joined, as far as monotonic clocks can tell. */
  isFresh(frame: Frame, joined: number): boolean {
    return this.#offset + frame.age >= joined - slack
  }

  isSilent(now: number): boolean {
    const period = Math.min(Math.max(this.#beat?.period ?? 0, periods.least), periods.most)
    return now - this.lastHeard > missedBeats * period
  }
}
