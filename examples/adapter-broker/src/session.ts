import { backoff, P2plError, sleep, type OpenOptions, type Subscriber } from '@p2pl/core/backend'
import { Connection } from './connection.ts'
import type { Answer, Message, Request } from './protocol.ts'

const pauses = { first: 50, longest: 2_000, jitter: 0.5 }

/** Stays connected: connects again when the connection is lost, and joins its topics again. */
export class Session {
  readonly id: string = crypto.randomUUID()
  readonly #port: number
  readonly #options: OpenOptions
  readonly #topics = new Map<string, Required<Subscriber>>()
  #connection: Connection

  private constructor(port: number, options: OpenOptions, connection: Connection) {
    this.#port = port
    this.#options = options
    this.#connection = connection
  }

  static async open(port: number, options: OpenOptions): Promise<Session> {
    const session = new Session(port, options, await Connection.open(port, options.signal))
    await session.#begin()
    // It ends with the signal, which is no failure.
    void session.#stay().catch(() => undefined)
    return session
  }

  async request(request: Request, onAnswer?: () => void): Promise<Answer> {
    return await this.#connection.request(request, onAnswer)
  }

  async join(topic: string, subscriber: Required<Subscriber>): Promise<void> {
    await this.request({ join: topic }, () => this.#topics.set(topic, subscriber))
  }

  async leave(topic: string): Promise<void> {
    this.#topics.delete(topic)
    // Without a connection there is nothing to leave.
    await this.request({ leave: topic }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#connection.close()
    await this.#connection.closed
  }

  async #begin(): Promise<void> {
    this.#connection.onMessage = ({ message: topic, payload, from }: Message) =>
      void this.#topics.get(topic)?.message({ payload: new Uint8Array(Buffer.from(payload, 'base64')), from })
    await this.request({ hello: this.id })
  }

  async #stay(): Promise<void> {
    const { signal, report } = this.#options
    for (;;) {
      await this.#connection.closed
      if (signal.aborted) return
      const lost = performance.now()
      report({ type: 'degraded', error: new P2plError({ code: 'UNREACHABLE', message: 'the broker is gone' }) })
      for (const subscriber of this.#topics.values()) subscriber.state('healing')
      for (let attempt = 1; !(await this.#again(lost)); attempt++) await sleep(backoff(pauses, attempt), { signal })
      report({ type: 'recovered' })
    }
  }

  async #again(lost: number): Promise<boolean> {
    try {
      this.#connection = await Connection.open(this.#port, this.#options.signal)
      await this.#begin()
      for (const [topic, subscriber] of this.#topics)
        // Within the answer: the next thing that the broker sends may be a message.
        await this.request({ join: topic }, () => {
          subscriber.gap({ reason: 'disconnected', lasted: performance.now() - lost })
          subscriber.state('live')
        })
      return true
    } catch {
      return false
    }
  }
}
