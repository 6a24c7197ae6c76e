import type { ServerResponse } from 'node:http'
import { LedgerError } from '../errors.ts'

const heartbeatMs = 15_000

/** An event in the form that a browser's `EventSource` reads; `data` is JSON. */
export interface StreamEvent {
  readonly type: string
  readonly data: unknown
}

export interface EventStreamsOptions {
  /** Default 64. */
  readonly maxClients?: number | undefined
  /** A client with more unread bytes is disconnected. It may connect again. Default 1 MiB. */
  readonly maxBacklog?: number | undefined
  /** Called with `true` when the first client connects, and with `false` when the last one has left. */
  readonly onUse?: ((used: boolean) => void) | undefined
}

/** Server-sent events to a bounded number of clients, each with a bounded backlog. */
export class EventStreams {
  readonly #clients = new Set<ServerResponse>()
  readonly #maxClients: number
  readonly #maxBacklog: number
  readonly #onUse: EventStreamsOptions['onUse']
  readonly #heartbeat: NodeJS.Timeout

  constructor({ maxClients = 64, maxBacklog = 1_048_576, onUse }: EventStreamsOptions = {}) {
    this.#maxClients = maxClients
    this.#maxBacklog = maxBacklog
    this.#onUse = onUse
    this.#heartbeat = setInterval(() => {
      this.#sendAll(': still here\n\n')
    }, heartbeatMs)
    this.#heartbeat.unref()
  }

  open(response: ServerResponse, first: StreamEvent | undefined): void {
    // Its end was already reported, so it would never free its place.
    if (response.destroyed) return
    if (this.#clients.size >= this.#maxClients)
      throw new LedgerError('OVERLOADED', `at most ${this.#maxClients} clients may listen to events`)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' })
    response.on('close', () => {
      if (this.#clients.delete(response) && this.#clients.size === 0) this.#onUse?.(false)
    })
    response.write('retry: 1000\n\n')
    if (first !== undefined) response.write(format(first))
    this.#clients.add(response)
    if (this.#clients.size === 1) this.#onUse?.(true)
  }

  send(event: StreamEvent): void {
    if (this.#clients.size > 0) this.#sendAll(format(event))
  }

  close(): void {
    clearInterval(this.#heartbeat)
    if (this.#clients.size === 0) return
    for (const client of this.#clients) client.end()
    this.#clients.clear()
    this.#onUse?.(false)
  }

  #sendAll(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > this.#maxBacklog) client.destroy()
      else client.write(text)
    }
  }
}

function format(event: StreamEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`
}
