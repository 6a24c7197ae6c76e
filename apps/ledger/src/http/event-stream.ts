import type { ServerResponse } from 'node:http'
import { LedgerError } from '../errors.ts'
import type { NodeEvent } from '../node/node-events.ts'

const heartbeatMs = 15_000

/** Server-sent events to a bounded number of clients, each with a bounded backlog. */
export class EventStreams {
  readonly #clients = new Set<ServerResponse>()
  readonly #maxClients: number
  readonly #maxBacklog: number
  readonly #heartbeat: NodeJS.Timeout

  /** `maxBacklog`: a client that has more bytes waiting is cut off. It may connect again. */
  constructor(maxClients = 64, maxBacklog = 1_048_576) {
    this.#maxClients = maxClients
    this.#maxBacklog = maxBacklog
    this.#heartbeat = setInterval(() => {
      this.#sendAll(': still here\n\n')
    }, heartbeatMs)
    this.#heartbeat.unref()
  }

  get size(): number {
    return this.#clients.size
  }

  open(response: ServerResponse, first: NodeEvent | undefined): void {
    if (this.#clients.size >= this.#maxClients)
      throw new LedgerError('OVERLOADED', `at most ${this.#maxClients} clients may listen to events`)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' })
    response.on('close', () => this.#clients.delete(response))
    response.write('retry: 1000\n\n')
    if (first !== undefined) response.write(format(first))
    this.#clients.add(response)
  }

  send(event: NodeEvent): void {
    if (this.#clients.size > 0) this.#sendAll(format(event))
  }

  close(): void {
    clearInterval(this.#heartbeat)
    for (const client of this.#clients) client.end()
    this.#clients.clear()
  }

  #sendAll(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > this.#maxBacklog) client.destroy()
      else client.write(text)
    }
  }
}

function format(event: NodeEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`
}
