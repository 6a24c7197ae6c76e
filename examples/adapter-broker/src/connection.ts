import { P2plError } from '@p2pl/core/backend'
import { connect, type Socket } from 'node:net'
import { receive, send, type Answer, type Message, type Request } from './protocol.ts'

const pingMs = 500
const maxPings = 6

/** One connection to the broker. It ends when the broker says nothing to six pings, which takes three seconds. */
export class Connection {
  readonly closed: Promise<void>
  onMessage: (message: Message) => void = () => undefined
  readonly #socket: Socket
  readonly #waiting = new Map<number, { answered: (answer: Answer) => void; lost: () => void }>()
  #sent = 0

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true)
    let unanswered = 0
    // Not the timeout of the socket: the own pings count there, too. Nor a time: what came while this process stood still is read later.
    const pings = setInterval(() => {
      if (unanswered++ === maxPings) socket.destroy()
      else send(socket, { ping: true })
    }, pingMs).unref()
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.once('close', () => {
      clearInterval(pings)
      for (const request of this.#waiting.values()) request.lost()
    })
    receive(socket, (line) => {
      unanswered = 0
      if ('message' in line) this.onMessage(line)
      else if ('ok' in line) this.#waiting.get(line.ok)?.answered(line)
    })
  }

  /** Rejects with the error of the socket when nobody answers. The connection ends with the signal. */
  static async open(port: number, signal: AbortSignal): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', signal })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).on('error', reject))
    return new Connection(socket)
  }

  /** `onAnswer` is called before anything that the broker sends after its answer. */
  async request(request: Request, onAnswer?: () => void): Promise<Answer> {
    if (this.#socket.destroyed) throw new P2plError({ code: 'UNREACHABLE', message: 'the broker is not connected now' })
    const n = ++this.#sent
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(n, {
      answered: (answer) => {
        onAnswer?.()
        resolve(answer)
      },
      lost: () => {
        // Nobody knows whether the broker had it. Only a request that does no harm twice may be repeated.
        const code = 'publish' in request ? 'UNCERTAIN' : 'UNREACHABLE'
        reject(new P2plError({ code, message: 'the connection to the broker broke before it answered' }))
      }
    })
    send(this.#socket, { ...request, n })
    return await promise.finally(() => this.#waiting.delete(n))
  }

  close(): void {
    this.#socket.destroy()
  }
}
