import type { Clock } from '@p2pl/core'
import { BoundedMap, bytesKey, equalBytes } from '@p2pl/core/backend'
import type { RoomPeer } from '../api.ts'
import { FairBuffer } from '../fair-buffer.ts'
import { type Beat, type Direct, type Frame, maxEchoes, type Say } from '../wire/frame.ts'
import { RemoteStay } from './remote-stay.ts'

/** Maximum number of stays that are not shown: newcomers, strangers, peers that left. */
const maxOthers = 1_024
const heldLimits = { maxItems: 512, maxBytes: 4 * 1024 * 1024 } as const

export interface RosterOptions {
  /** The id of this peer's own stay. */
  readonly id: Uint8Array
  readonly clock: Clock
  readonly maxPeers: number
  readonly onChange: (type: 'join' | 'leave' | 'change', stay: RemoteStay) => void
  /** Takes the messages of peers that are here. */
  readonly onFrame: (stay: RemoteStay, frame: Frame & (Say | Direct)) => void
  /** Another peer waits for a beat of this one. */
  readonly onWaiting: () => void
  /** Called at a stay's first beat. */
  readonly onMet: (stay: RemoteStay) => void
  /** Called when no further peer can be shown. */
  readonly onFull: () => void
}

interface Held {
  readonly stay: RemoteStay
  readonly frame: Frame & (Say | Direct)
}

/**
 * The peers that are here. A peer counts as here once a beat of its stay has named the stay of this peer, which no
 * recording can do.
 */
export class Roster {
  readonly #options: RosterOptions
  readonly #joined: number
  readonly #here = new Map<string, RemoteStay>()
  readonly #others = new BoundedMap<string, RemoteStay>(maxOthers)
  /** Messages of stays that are not proven yet. */
  readonly #held = new FairBuffer<Held>(heldLimits)
  /** The peers that are here, as apps see them. */
  readonly peers: Map<string, RoomPeer> = new Map()
  #turn = 0
  /** Milliseconds for which this process was stalled. It heard nobody meanwhile, so that time does not count as silence. */
  #still = 0

  constructor(options: RosterOptions) {
    this.#options = options
    this.#joined = options.clock.now()
  }

  get(id: string): RemoteStay | undefined {
    return this.#here.get(id)
  }

  /** @param size - Bytes of the frame. */
  hear(sender: string, frame: Frame, size: number): void {
    const now = this.#options.clock.now()
    const stay = this.#stay(sender, frame.stay)
    if (!stay.hear(frame, this.#awake)) return
    if (frame.kind === 'beat') this.#hearBeat(stay, frame, now)
    else if (frame.kind === 'bye') this.#end(stay)
    else if (stay.state === 'here') this.#deliver(stay, frame)
    else this.#held.push(sender, { stay, frame }, size)
  }

  /** The clock, minus the time for which this process was stalled. */
  get #awake(): number {
    return this.#options.clock.now() - this.#still
  }

  #stay(sender: string, id: Uint8Array): RemoteStay {
    const here = this.#here.get(sender)
    if (here !== undefined && equalBytes(here.id, id)) return here
    const key = keyOf(sender, id)
    const known = this.#others.touch(key)
    if (known !== undefined) return known
    const stay = new RemoteStay(sender, id, this.#awake)
    this.#others.set(key, stay)
    return stay
  }

  #hearBeat(stay: RemoteStay, frame: Frame & Beat, now: number): void {
    const first = stay.beat === undefined
    const renamed = stay.learn(frame, now)
    if (first) this.#options.onMet(stay)
    const echoed = frame.echoes.some((echo) => equalBytes(echo, this.#options.id))
    // A beat that has room for more names lists every stay that its sender has heard of.
    if (!stay.echoed || (!echoed && frame.echoes.length < maxEchoes)) this.#options.onWaiting()
    if (stay.state === 'here' && renamed) this.changed(stay)
    if (stay.state === 'unproven' && echoed) this.#show(stay)
  }

  #show(stay: RemoteStay): void {
    const before = this.#here.get(stay.sender)
    if (before !== undefined) this.#end(before)
    if (this.#here.size >= this.#options.maxPeers) {
      this.#options.onFull()
      return
    }
    stay.state = 'here'
    this.#others.delete(keyOf(stay.sender, stay.id))
    this.#here.set(stay.sender, stay)
    this.peers.set(stay.sender, stay.peer)
    this.#options.onChange('join', stay)
    for (const { frame } of this.#held.take((held) => held.stay === stay)) this.#deliver(stay, frame)
  }

  #deliver(stay: RemoteStay, frame: Frame & (Say | Direct)): void {
    if (stay.isFresh(frame, this.#joined)) this.#options.onFrame(stay, frame)
  }

  /** Called when the name or the account of a stay has changed. */
  changed(stay: RemoteStay): void {
    if (stay.state !== 'here') return
    this.peers.set(stay.sender, stay.peer)
    this.#options.onChange('change', stay)
  }

  #end(stay: RemoteStay): void {
    this.#held.take((held) => held.stay === stay)
    this.#hide(stay)
    stay.state = 'ended'
  }

  /** The stay is remembered, so that nobody can replay its messages. */
  #hide(stay: RemoteStay): void {
    if (stay.state !== 'here') return
    stay.state = 'unproven'
    stay.echoed = false
    this.#here.delete(stay.sender)
    this.#others.set(keyOf(stay.sender, stay.id), stay)
    this.peers.delete(stay.sender)
    this.#options.onChange('leave', stay)
  }

  /** Hides peers that were silent for too long. `late`: milliseconds for which this process was stalled before the call. */
  sweep(late: number): void {
    this.#still += late
    const now = this.#awake
    for (const stay of this.#here.values()) if (stay.isSilent(now)) this.#hide(stay)
    this.#held.take(({ stay }) => stay.isSilent(now))
  }

  clear(): void {
    for (const stay of this.#here.values()) this.#end(stay)
  }

  /** The stays that the next beat names: first those that were not named yet, then the others in turn. */
  echoes(): Uint8Array[] {
    const now = this.#awake
    const living = [...this.#here.values(), ...this.#others.values()].filter(
      (stay) => stay.state !== 'ended' && stay.beat !== undefined && !stay.isSilent(now)
    )
    const fresh = living.filter((stay) => !stay.echoed).slice(-maxEchoes)
    const known = living.filter((stay) => stay.echoed)
    const start = known.length === 0 ? 0 : this.#turn % known.length
    const rest = [...known.slice(start), ...known.slice(0, start)].slice(0, maxEchoes - fresh.length)
    this.#turn = start + rest.length
    for (const stay of fresh) stay.echoed = true
    return [...fresh, ...rest].map(({ id }) => id)
  }
}

function keyOf(sender: string, id: Uint8Array): string {
  return `${sender}/${bytesKey(id)}`
}
