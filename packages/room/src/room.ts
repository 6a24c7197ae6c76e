import { type CallOptions, type Codec, json, type Peer } from '@p2pl/core'
import { checkKeys, checkMethods, invalidArgument, Listeners } from '@p2pl/core/backend'
import type { Channel, ChannelOptions, Request, Room, RoomMessage, RoomPeer, SendOptions } from './api.ts'
import { RoomChannel } from './channel.ts'
import { asP2plError, failure } from './errors.ts'
import type { RoomEvent } from './events.ts'
import { FairBuffer } from './fair-buffer.ts'
import { checkChannelName, checkName } from './options.ts'
import { Payloads } from './payloads.ts'
import { roomKeys, secretKey } from './secrets/secret.ts'
import { type Head, Visit, type VisitOptions } from './visit.ts'
import type { Content } from './wire/content.ts'

const sendKeys = ['signal', 'timeout', 'context', 'to']
const callKeys = ['signal', 'timeout', 'context']
/** Limits on messages that wait for a first listener. */
const unheardLimits = { maxItems: 256, maxBytes: 1024 * 1024 } as const

interface Unheard {
  readonly channel: string
  readonly content: Content
  readonly head: Head
}

export interface RoomInit<T> {
  readonly peer: Peer
  readonly room: string
  readonly secret: Uint8Array | undefined
  readonly codec: Codec<T>
  readonly name: string | undefined
  readonly account: string | undefined
  readonly maxPayloadBytes: number
  readonly visit: Pick<VisitOptions, 'beat' | 'maxPeers' | 'history'>
}

export class JoinedRoom<T> implements Room<T> {
  readonly id: string
  readonly name = ''
  readonly #init: RoomInit<T>
  readonly #payloads: Payloads
  readonly #events = new Listeners<RoomEvent>()
  // oxlint-disable-next-line typescript/no-explicit-any -- each has the type of its own codec
  readonly #channels = new Map<string, RoomChannel<any>>()
  readonly #main: RoomChannel<T>
  readonly #unheard = new FairBuffer<Unheard>(unheardLimits)
  #name: string | undefined
  #topic = ''
  #visit!: Visit
  #left: Promise<void> | undefined

  private constructor(init: RoomInit<T>) {
    this.#init = init
    this.id = init.peer.id
    this.#name = init.name
    this.#payloads = new Payloads(init.peer, init.maxPayloadBytes)
    this.#main = this.#open('', init.codec)
  }

  static async join<T>(init: RoomInit<T>): Promise<JoinedRoom<T>> {
    const room = new JoinedRoom(init)
    room.#visit = await room.#enter(init.secret)
    return room
  }

  get topic(): string {
    return this.#topic
  }

  get peers(): ReadonlyMap<string, RoomPeer> {
    return this.#visit.peers
  }

  async #enter(secret: Uint8Array | undefined): Promise<Visit> {
    const { peer, room, account, visit } = this.#init
    const keys = roomKeys(room, secret)
    let entered: Visit | undefined
    entered = await Visit.open({
      ...visit,
      peer,
      keys,
      payloads: this.#payloads,
      profile: () => ({ name: this.#name, account }),
      onEvent: (event) => {
        this.#events.emit(event)
      },
      onContent: (channel, content, head) => {
        this.#receive({ channel, content, head })
      },
      answer: async (channel, content, sender, signal) => await this.#answer(channel, content, { sender, signal }),
      onError: (error, message) => {
        this.#warn(error, message)
      },
      onEnd: (error) => {
        if (this.#visit !== entered || this.#left !== undefined) return
        this.#warn(error, 'the topic of the room has ended')
        void this.leave()
      }
    })
    this.#topic = keys.topic
    return entered
  }

  send(payload: T, options?: SendOptions): Promise<void> {
    return this.#main.send(payload, options)
  }

  onMessage(listener: (message: RoomMessage<T>) => void): () => void {
    return this.#main.onMessage(listener)
  }

  request(to: string, payload: T, options?: CallOptions): Promise<T> {
    return this.#main.request(to, payload, options)
  }

  onRequest(handler: (payload: T, request: Request) => T | Promise<T>): () => void {
    return this.#main.onRequest(handler)
  }

  channel<U>(name: string, options: ChannelOptions<U> = {}): Channel<U> {
    checkKeys('channel', options, ['codec'])
    checkMethods('channel', 'codec', options.codec, ['encode', 'decode'])
    const { codec } = options
    const known = this.#channels.get(checkChannelName(name)) as RoomChannel<U> | undefined
    if (known === undefined) return this.#open(name, codec ?? (json as Codec<U>))
    if (codec === undefined || codec === known.codec) return known
    throw invalidArgument(
      'channel',
      `channel "${name}" has the codec ${known.codec.name}: use that one, or another name`
    )
  }

  onEvent(listener: (event: RoomEvent) => void): () => void {
    return this.#events.add('onEvent', listener)
  }

  async rename(name: string): Promise<void> {
    this.#assertJoined('rename')
    this.#name = checkName('rename', name)
    this.#visit.beat()
  }

  async rotate(
    secret: string | Uint8Array,
    options: CallOptions & { tell?: readonly string[] | undefined } = {}
  ): Promise<void> {
    this.#assertJoined('rotate')
    checkKeys('rotate', options, [...callKeys, 'tell'])
    const { tell = [], ...limits } = options
    const key = await secretKey(secret, this.#init.room)
    if (roomKeys(this.#init.room, key).topic === this.#topic) return
    for (const to of tell) await this.#visit.tell('rotate', to, { kind: 'secret', secret: key }, limits)
    const before = this.#visit
    const next = await this.#enter(key)
    if (this.#left !== undefined) {
      await next.leave(ended('rotate'))
      throw ended('rotate')
    }
    this.#visit = next
    await before.leave(failure('UNREACHABLE', 'request', 'the room goes on under another secret: ask again'))
  }

  leave(): Promise<void> {
    this.#left ??= this.#end()
    return this.#left
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }

  async #end(): Promise<void> {
    this.#payloads.stop()
    await this.#visit.leave(ended('request'))
  }

  #open<U>(name: string, codec: Codec<U>): RoomChannel<U> {
    const opened = new RoomChannel<U>(name, codec, {
      send: async (channel, payload, options) => {
        await this.#send(channel, payload, options)
      },
      request: async (channel, to, payload, options) => {
        checkKeys('request', options, callKeys)
        this.#assertJoined('request')
        const answer = await this.#visit.ask(to, channel, await this.#pack(channel, payload, options), options)
        return await this.#unpack(channel, answer, to)
      },
      onListener: (channel) => {
        for (const unheard of this.#unheard.take((each) => each.channel === channel)) this.#receive(unheard)
      }
    })
    this.#channels.set(name, opened)
    return opened
  }

  async #send(channel: string, payload: Uint8Array, options: SendOptions): Promise<void> {
    checkKeys('send', options, sendKeys)
    this.#assertJoined('send')
    const { to, ...limits } = options
    const content = await this.#pack(channel, payload, limits)
    this.#assertJoined('send')
    if (to === undefined) await this.#visit.say(channel, content, limits)
    else await this.#visit.tell('send', to, { kind: 'say', channel, content }, limits)
  }

  async #pack(channel: string, payload: Uint8Array, options: CallOptions): Promise<Content> {
    return await this.#payloads.pack(payload, options, (bytes, total) => {
      this.#events.emit({ type: 'progress', direction: 'out', channel, sender: this.id, bytes, total })
    })
  }

  async #unpack(channel: string, content: Content, sender: string): Promise<Uint8Array> {
    return await this.#payloads.unpack(content, {
      sender,
      onProgress: (bytes, total) => {
        this.#events.emit({ type: 'progress', direction: 'in', channel, sender, bytes, total })
      }
    })
  }

  /** Small messages are delivered in order of arrival, large ones once they have been fetched. */
  #receive(unheard: Unheard): void {
    const { channel, content, head } = unheard
    const open = this.#channels.get(channel)
    if (open?.listened !== true) {
      this.#unheard.push(head.sender, unheard, content instanceof Uint8Array ? content.byteLength : 1_024)
    } else if (content instanceof Uint8Array) this.#deliver(open, content, head)
    else {
      this.#unpack(channel, content, head.sender).then(
        (bytes) => {
          this.#deliver(open, bytes, head)
        },
        () => {
          if (this.#left === undefined) this.#lost('unavailable', head.sender)
        }
      )
    }
  }

  #deliver(channel: RoomChannel<unknown>, bytes: Uint8Array, head: Head): void {
    if (this.#left !== undefined) return
    try {
      channel.deliver(bytes, head)
    } catch {
      this.#lost('undecodable', head.sender)
    }
  }

  #lost(reason: 'unavailable' | 'undecodable', sender: string): void {
    this.#events.emit({ type: 'gap', reason, sender, count: 1 })
  }

  async #answer(name: string, content: Content, request: Request): Promise<Content> {
    const channel = this.#channels.get(name)
    if (channel === undefined) throw failure('UNSUPPORTED', 'request', `it has no channel "${name}"`)
    const answer = await channel.answer(await this.#unpack(name, content, request.sender), request)
    return await this.#pack(name, answer, { signal: request.signal })
  }

  #warn(error: unknown, message: string): void {
    this.#events.emit({ type: 'warning', error: asP2plError(error, 'room', message) })
  }

  #assertJoined(operation: string): void {
    if (this.#left !== undefined) throw ended(operation)
  }
}

function ended(operation: string): Error {
  return failure('NOT_RUNNING', operation, `${operation}: this peer has left the room; join it again`)
}
