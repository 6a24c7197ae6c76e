import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How much a connection is worth, in rising order. */
const ranks = ['idle', 'served', 'trusted'] as const
type Rank = (typeof ranks)[number]

/**
 * Limits the connections of a server without refusing new ones. When it is full, it closes the connection that is worth
 * least; among equals, the oldest. So slow clients delay nobody.
 *
 * - `idle`: no request was read yet, or all were answered,
 * - `served`: a request is being answered,
 * - `trusted`: the same, for a request with the token.
 */
export class Connections {
  readonly #max: number
  /** In the order in which they got their rank. */
  readonly #ranks = new Map<Socket, Rank>()

  constructor(server: Server, max: number) {
    this.#max = max
    server.on('connection', (socket) => {
      while (this.#ranks.size >= this.#max) this.#dropLeast()
      this.#set(socket, 'idle')
      socket.once('close', () => {
        this.#ranks.delete(socket)
      })
    })
  }

  get size(): number {
    return this.#ranks.size
  }

  rank(socket: Socket, rank: Rank): void {
    if (this.#ranks.has(socket)) this.#set(socket, rank)
  }

  #set(socket: Socket, rank: Rank): void {
    this.#ranks.delete(socket)
    this.#ranks.set(socket, rank)
  }

  #dropLeast(): void {
    for (const least of ranks) {
      for (const [socket, rank] of this.#ranks) {
        if (rank !== least) continue
        this.#ranks.delete(socket)
        socket.destroy()
        return
      }
    }
  }
}
