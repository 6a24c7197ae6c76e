import type { Gap, Message, Peer, Subscription, Topic } from '@p2pl/core'
import { equalBytes } from '@p2pl/core/backend'
import { failure } from '../errors.ts'
import { openBytes, sealBytes } from '../secrets/cipher.ts'
import { createKeyPair, pairKey } from '../secrets/pair.ts'
import type { RoomKeys } from '../secrets/secret.ts'
import type { Content } from '../wire/content.ts'
import { decodeFrame, encodeFrame, type FrameBody, type FrameHead, type Say, stayLength } from '../wire/frame.ts'
import { decodeNote, encodeNote, type Note } from '../wire/note.ts'
import { signSay } from '../wire/say.ts'
import { Beats } from './beats.ts'
import type { RemoteStay } from './remote-stay.ts'
import { Roster } from './roster.ts'

/** Larger messages are refused. Large payloads are stored, and fetched by the peers that want them. */
const maxMessageBytes = 128 * 1024
/** Milliseconds for the goodbye. */
const byeTimeout = 2_000
const sweepPeriod = 1_000
/** Milliseconds. A page in the background, whose timers come once a minute, still reads what others send: they were silent. */
const longestStandstill = 10_000

export interface LocalStayOptions {
  readonly peer: Peer
  readonly keys: RoomKeys
  readonly beat: number
  readonly maxPeers: number
  readonly profile: () => { readonly name: string | undefined; readonly account: string | undefined }
  readonly onPeer: (type: 'join' | 'leave' | 'change', stay: RemoteStay) => void
  readonly onMet: (stay: RemoteStay) => void
  readonly onSay: (stay: RemoteStay, say: Say & FrameHead) => void
  readonly onNote: (stay: RemoteStay, note: Note, n: number) => void
  readonly onGap: (gap: {
    reason: Gap['reason'] | 'full'
    sender?: string | undefined
    count?: number | undefined
  }) => void
  readonly onState: (state: Subscription['state']) => void
  /** Called when the topic has ended without `leave`. */
  readonly onEnd: (error: unknown) => void
}

export interface SendLimits {
  readonly signal?: AbortSignal | undefined
  readonly timeout?: number | undefined
}

/** One visit of this peer to a room: its number, its keys, its beats and what it hears. */
export class LocalStay {
  readonly id: Uint8Array = crypto.getRandomValues(new Uint8Array(stayLength))
  readonly roster: Roster
  readonly #options: LocalStayOptions
  readonly #topic: Topic
  readonly #subscription: Subscription
  readonly #pair = createKeyPair()
  readonly #pairKeys = new WeakMap<RemoteStay, Uint8Array>()
  readonly #beats: Beats
  readonly #began: number
  #n = 0
  #signing: Promise<unknown> = Promise.resolve()
  #sweeper: unknown
  #left: Promise<void> | undefined

  private constructor(options: LocalStayOptions) {
    this.#options = options
    const { peer, keys, beat, maxPeers } = options
    const { environment } = peer
    this.#began = environment.clock.now()
    this.roster = new Roster({
      id: this.id,
      clock: environment.clock,
      maxPeers,
      onChange: options.onPeer,
      onMet: options.onMet,
      onFull: () => {
        options.onGap({ reason: 'full' })
      },
      onWaiting: () => {
        this.#beats.soon()
      },
      onFrame: (stay, frame) => {
        if (frame.kind === 'say') options.onSay(stay, frame)
        else this.#openDirect(stay, frame)
      }
    })
    this.#beats = new Beats({
      environment,
      period: beat,
      peers: () => this.roster.peers.size,
      send: (period) => {
        // The next beat makes up for one that fails.
        this.#publish(this.#beat(period), 0, {}).catch(() => undefined)
      }
    })
    this.#topic = peer.topic(keys.topic)
    this.#subscription = this.#topic.subscribe({ maxPayloadBytes: maxMessageBytes })
  }

  static async open(options: LocalStayOptions): Promise<LocalStay> {
    const stay = new LocalStay(options)
    const ended = stay.#listen()
    try {
      await stay.#subscription.joined
    } catch (error) {
      await ended
      throw error
    }
    stay.#subscription.onState(options.onState)
    stay.#beats.now()
    stay.#sweep()
    void ended.then((error) => {
      if (stay.#left === undefined) options.onEnd(error)
    })
    return stay
  }

  /** Reports a change at once. */
  beat(): void {
    this.#beats.soon()
  }

  async say(channel: string, content: Content, limits: SendLimits): Promise<Say & FrameHead> {
    const head = this.#head()
    const { peer, keys } = this.#options
    // One after the other, so that broadcasts go out in the order of their numbers.
    const signing = this.#signing.then(() => signSay(peer.identity, keys.topic, { ...head, channel, content }))
    this.#signing = signing.catch(() => undefined)
    const say: Say & FrameHead = { ...head, kind: 'say', channel, content, signature: await signing }
    await this.#publishFrame(say, this.roster.peers.size === 0 ? 0 : 1, limits)
    return say
  }

  /** Sends a note to one stay alone, encrypted to it. Resolves with the frame's number. */
  async tell(to: RemoteStay, note: Note, limits: SendLimits = {}): Promise<number> {
    const key = this.#keyWith(to)
    if (key === undefined) throw failure('NOT_FOUND', 'send', `the peer ${to.sender} has no valid key`)
    const head = this.#head()
    const sealed = sealBytes(key, encodeNote(note), directContext(head, to.id))
    await this.#publishFrame({ ...head, kind: 'direct', to: to.id, sealed }, 1, limits)
    return head.n
  }

  /** Says goodbye, and leaves the topic. Idempotent. */
  leave(): Promise<void> {
    this.#left ??= this.#end()
    return this.#left
  }

  async #end(): Promise<void> {
    this.#beats.stop()
    this.#options.peer.environment.clock.clearTimeout(this.#sweeper)
    this.roster.clear()
    await this.#publish({ kind: 'bye' }, 0, { timeout: byeTimeout }).catch(() => undefined)
    await this.#subscription.close().catch(() => undefined)
    await this.#topic.close().catch(() => undefined)
    this.#pair.secretKey.fill(0)
  }

  /** Resolves with the error that ended it, if there was one. */
  async #listen(): Promise<unknown> {
    try {
      for await (const item of this.#subscription) {
        if (item.type === 'message') this.#hear(item)
        else this.#options.onGap({ reason: item.reason, sender: item.sender, count: item.count })
      }
      return undefined
    } catch (error) {
      return error
    }
  }

  #hear({ sender, payload }: Message): void {
    if (this.#left !== undefined) return
    const { key, topic } = this.#options.keys
    const bytes = key === undefined ? payload : openBytes(key, payload, roomContext(topic, sender))
    const frame = bytes === undefined ? undefined : decodeFrame(bytes)
    if (frame !== undefined) this.roster.hear(sender, frame, payload.byteLength)
  }

  #openDirect(stay: RemoteStay, frame: FrameHead & { readonly to: Uint8Array; readonly sealed: Uint8Array }): void {
    if (!equalBytes(frame.to, this.id)) return
    const key = this.#keyWith(stay)
    const bytes = key === undefined ? undefined : openBytes(key, frame.sealed, directContext(frame, this.id))
    const note = bytes === undefined ? undefined : decodeNote(bytes)
    if (note !== undefined) this.#options.onNote(stay, note, frame.n)
  }

  #keyWith(stay: RemoteStay): Uint8Array | undefined {
    const known = this.#pairKeys.get(stay)
    if (known !== undefined || stay.beat === undefined) return known
    const key = pairKey(this.#pair, this.id, { id: stay.id, key: stay.beat.key })
    if (key !== undefined) this.#pairKeys.set(stay, key)
    return key
  }

  #head(): FrameHead {
    const age = Math.max(0, Math.floor(this.#options.peer.environment.clock.now() - this.#began))
    return { stay: this.id, n: this.#n++, age }
  }

  #beat(period: number): FrameBody {
    const { name, account } = this.#options.profile()
    return { kind: 'beat', key: this.#pair.publicKey, period, name, account, echoes: this.roster.echoes() }
  }

  async #publish(body: FrameBody, recipients: number, limits: SendLimits): Promise<void> {
    await this.#publishFrame({ ...this.#head(), ...body }, recipients, limits)
  }

  async #publishFrame(frame: FrameHead & FrameBody, recipients: number, limits: SendLimits): Promise<void> {
    const { keys, peer } = this.#options
    const bytes = encodeFrame(frame)
    const payload = keys.key === undefined ? bytes : sealBytes(keys.key, bytes, roomContext(keys.topic, peer.id))
    await this.#topic.publish(payload, { recipients, signal: limits.signal, timeout: limits.timeout })
  }

  #sweep(): void {
    const { clock } = this.#options.peer.environment
    const due = clock.now() + sweepPeriod
    this.#sweeper = clock.setTimeout(() => {
      this.roster.sweep(Math.min(Math.max(0, clock.now() - due), longestStandstill))
      this.#sweep()
    }, sweepPeriod)
  }
}

/** Bound to room and sender: nobody can put the bytes of one sender, or of one room, into an envelope of another. */
function roomContext(topic: string, sender: string): string {
  return `p2pl/room/1 frame ${topic} ${sender}`
}

/** A stay uses each number once, so no two messages have the same context. */
function directContext({ stay, n }: FrameHead, to: Uint8Array): string {
  return `p2pl/room/1 direct ${stay.join()} ${n} ${to.join()}`
}
