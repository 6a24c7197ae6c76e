import type { CallOptions, Peer } from '@p2pl/core'
import { accountOf } from './account.ts'
import type { RoomPeer, RoomMessage } from './api.ts'
import { CatchUp } from './catch-up.ts'
import { failure } from './errors.ts'
import type { RoomEvent } from './events.ts'
import { occupy } from './occupied.ts'
import type { Payloads } from './payloads.ts'
import { PastRecords } from './past.ts'
import { LocalStay } from './presence/local-stay.ts'
import type { RemoteStay } from './presence/remote-stay.ts'
import { Answering } from './requests/answering.ts'
import { Asking } from './requests/asking.ts'
import type { RoomKeys } from './secrets/secret.ts'
import type { Content } from './wire/content.ts'
import type { Note } from './wire/note.ts'
import { sayId } from './wire/say.ts'

/** The channel on which peers ask each other for the history. */
const historyChannel = '\0history'

export type Head = Omit<RoomMessage<unknown>, 'payload' | 'channel'>

export interface VisitOptions {
  readonly peer: Peer
  readonly keys: RoomKeys
  readonly beat: number
  readonly maxPeers: number
  readonly history: number
  readonly payloads: Payloads
  readonly profile: () => { readonly name: string | undefined; readonly account: string | undefined }
  readonly onEvent: (event: RoomEvent) => void
  readonly onContent: (channel: string, content: Content, head: Head) => void
  readonly answer: (channel: string, content: Content, from: string, signal: AbortSignal) => Promise<Content>
  readonly onError: (error: unknown, message: string) => void
  readonly onEnd: (error: unknown) => void
}

/** This peer's presence in a room, under one secret. */
export class Visit {
  readonly #options: VisitOptions
  readonly #past: PastRecords
  readonly #catchUp: CatchUp
  readonly #asking: Asking
  readonly #answering: Answering
  #stay!: LocalStay
  #release: () => void = () => undefined

  private constructor(options: VisitOptions) {
    this.#options = options
    const { peer, keys, history, payloads } = options
    const send = async (to: RemoteStay, note: Note): Promise<unknown> => await this.#stay.tell(to, note)
    this.#past = new PastRecords({ peer, topic: keys.topic, limit: history, payloads })
    this.#asking = new Asking(peer.environment, send)
    this.#answering = new Answering(
      async (from, channel, content, signal) =>
        channel === historyChannel
          ? await this.#past.answer(content)
          : await options.answer(channel, content, from.sender, signal),
      send,
      (error) => {
        options.onError(error, 'a handler of requests failed')
      }
    )
    this.#catchUp = new CatchUp({
      environment: peer.environment,
      here: () => [...this.peers.keys()].flatMap((id) => this.#stay.roster.get(id) ?? []),
      ask: async (stay) => {
        await this.#askPast(stay)
      }
    })
  }

  static async open(options: VisitOptions): Promise<Visit> {
    const visit = new Visit(options)
    const { peer, keys, beat, maxPeers, profile, onEnd } = options
    visit.#release = occupy(peer, keys.topic)
    const opened = LocalStay.open({
      peer,
      keys,
      beat,
      maxPeers,
      profile,
      onEnd,
      onPeer: (type, stay) => {
        visit.#onPeer(type, stay)
      },
      onMet: (stay) => void visit.#checkAccount(stay),
      onSay: (stay, say) => {
        if (!visit.#past.add({ ...say, sender: stay.sender })) return
        const id = sayId(stay.sender, say.stay, say.n)
        options.onContent(say.channel, say.content, { sender: stay.sender, id, direct: false, history: false })
      },
      onNote: (stay, note, n) => {
        visit.#onNote(stay, note, n)
      },
      onGap: (gap) => {
        options.onEvent({ type: 'gap', ...gap })
        if (gap.reason !== 'full' && options.history > 0) visit.#catchUp.lost(gap.sender)
      },
      onState: (state) => {
        options.onEvent({ type: 'state', state })
      }
    })
    opened.catch(visit.#release)
    visit.#stay = await opened
    return visit
  }

  get peers(): ReadonlyMap<string, RoomPeer> {
    return this.#stay.roster.peers
  }

  /** Tells other peers about a changed name. */
  beat(): void {
    this.#stay.beat()
  }

  async say(channel: string, content: Content, options: CallOptions): Promise<void> {
    const say = await this.#stay.say(channel, content, options)
    this.#past.add({ ...say, sender: this.#options.peer.id })
  }

  async tell(operation: string, to: string, note: Note, options: CallOptions): Promise<void> {
    await this.#stay.tell(this.#find(operation, to), note, options)
  }

  async ask(to: string, channel: string, content: Content, options: CallOptions): Promise<Content> {
    return await this.#asking.ask({ to: this.#find('request', to), channel, content }, options)
  }

  async leave(error: Error): Promise<void> {
    this.#catchUp.stop()
    this.#asking.stop(error)
    this.#answering.stop()
    await this.#stay.leave()
    this.#release()
  }

  #find(operation: string, id: string): RemoteStay {
    const stay = this.#stay.roster.get(id)
    if (stay !== undefined) return stay
    throw failure('NOT_FOUND', operation, `the peer ${id.slice(0, 80)} is not in the room: see room.peers`)
  }

  #onPeer(type: 'join' | 'leave' | 'change', stay: RemoteStay): void {
    this.#options.onEvent({ type, peer: stay.peer })
    if (this.#options.history > 0 && type === 'join') this.#catchUp.came(stay)
    if (type !== 'leave') return
    this.#catchUp.went(stay)
    this.#asking.left(stay)
    this.#answering.left(stay)
  }

  async #checkAccount(stay: RemoteStay): Promise<void> {
    const certificate = stay.beat?.account
    if (certificate === undefined) return
    const account = await accountOf(certificate, stay.sender, this.#options.peer.environment.cryptography)
    if (account === undefined) return
    stay.account = account
    this.#stay.roster.changed(stay)
  }

  #onNote(stay: RemoteStay, note: Note, n: number): void {
    const { onContent, onEvent } = this.#options
    if (note.kind === 'ask') this.#answering.asked(stay, note)
    else if (note.kind === 'answer' || note.kind === 'refuse') this.#asking.answered(stay, note)
    else if (note.kind === 'secret') onEvent({ type: 'secret', sender: stay.sender, secret: note.secret })
    else {
      const id = sayId(stay.sender, stay.id, n)
      onContent(note.channel, note.content, { sender: stay.sender, id, direct: true, history: false })
    }
  }

  async #askPast(stay: RemoteStay): Promise<void> {
    const { payloads, onContent } = this.#options
    const content = await this.#asking.ask({ to: stay, channel: historyChannel, content: this.#past.question() }, {})
    const bytes = await payloads.unpack(content, { sender: stay.sender, onProgress: () => undefined })
    for await (const said of this.#past.take(bytes)) {
      const { sender } = said
      onContent(said.channel, said.content, {
        sender,
        id: sayId(sender, said.stay, said.n),
        direct: false,
        history: true
      })
    }
  }
}
