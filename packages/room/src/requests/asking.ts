import type { CallOptions, Environment } from '@p2pl/core'
import { withTimeout } from '@p2pl/core/content'
import { failure } from '../errors.ts'
import type { RemoteStay } from '../presence/remote-stay.ts'
import type { Content } from '../wire/content.ts'
import type { Note } from '../wire/note.ts'

const defaultTimeout = 10_000
/** Milliseconds until a request is repeated. Doubles each time. */
const firstRepeat = 1_000
const longestRepeat = 8_000
const maxPending = 1_024

interface Pending {
  readonly to: RemoteStay
  readonly resolve: (content: Content) => void
  readonly reject: (error: unknown) => void
}

export interface Ask {
  readonly to: RemoteStay
  readonly channel: string
  readonly content: Content
}

/** The requests of this peer that have no answer yet. */
export class Asking {
  readonly #environment: Environment
  readonly #send: (to: RemoteStay, note: Note) => Promise<unknown>
  readonly #pending = new Map<number, Pending>()
  #last = 0

  constructor(environment: Environment, send: (to: RemoteStay, note: Note) => Promise<unknown>) {
    this.#environment = environment
    this.#send = send
  }

  async ask({ to, channel, content }: Ask, options: CallOptions): Promise<Content> {
    if (this.#pending.size >= maxPending) {
      throw failure(
        'OVERLOADED',
        'request',
        `more than ${maxPending} requests wait for an answer: wait for some of them`
      )
    }
    const { clock } = this.#environment
    const id = ++this.#last
    let timer: unknown
    const send = (pause: number): void => {
      // The request may get lost, or nobody may be connected at the moment. It is repeated in either case.
      this.#send(to, { kind: 'ask', id, channel, content }).catch(() => undefined)
      timer = clock.setTimeout(() => {
        send(Math.min(pause * 2, longestRepeat))
      }, pause)
    }
    try {
      return await withTimeout(clock, options, defaultTimeout, 'request', async () => {
        const { promise, resolve, reject } = Promise.withResolvers<Content>()
        this.#pending.set(id, { to, resolve, reject })
        send(firstRepeat)
        return await promise
      })
    } finally {
      clock.clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  answered(from: RemoteStay, note: Extract<Note, { kind: 'answer' | 'refuse' }>): void {
    const pending = this.#pending.get(note.id)
    if (pending?.to !== from) return
    if (note.kind === 'answer') pending.resolve(note.content)
    else pending.reject(failure(note.code, 'request', `${from.sender} refused the request: ${note.reason}`))
  }

  /** A peer has left, so nobody waits for it any longer. */
  left(stay: RemoteStay): void {
    for (const { to, reject } of this.#pending.values()) {
      if (to === stay) reject(failure('UNREACHABLE', 'request', `${stay.sender} left the room before it answered`))
    }
  }

  stop(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error)
  }
}
