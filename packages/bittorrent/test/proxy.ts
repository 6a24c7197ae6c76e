import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export type Direction = 'up' | 'down'

/** A way to a peer that can go dead without a word: bytes and ends of connections are swallowed, on both sides or on one. */
export class SwallowingProxy {
  readonly address: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** `up`: from the dialler to the target. */
  readonly #dead = new Set<Direction>()
  /** Connections that were there when the way went dead stay dead. */
  #generation = 0
  #refuses = false

  private constructor(server: Server, port: number) {
    this.#server = server
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (socket) => this.#forward(socket, port))
  }

  static async to(port: number): Promise<SwallowingProxy> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new SwallowingProxy(server, port)
  }

  /** `newcomers`: whether new connections go through. */
  swallow(directions: readonly Direction[], newcomers: boolean): void {
    this.#generation++
    for (const direction of directions) this.#dead.add(direction)
    this.#refuses = !newcomers
  }

  /** New connections go through again; the old ones stay as they are. */
  heal(): void {
    this.#refuses = false
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #forward(inner: Socket, port: number): void {
    const generation = this.#generation
    this.#sockets.add(inner)
    inner.on('error', () => {})
    // Such a connection is never answered.
    if (this.#refuses) return
    const outer = connect({ host: '127.0.0.1', port })
    this.#sockets.add(outer)
    outer.on('error', () => {})
    const dead = (direction: Direction): boolean => this.#generation !== generation && this.#dead.has(direction)
    const pass = (from: Socket, to: Socket, direction: Direction): void => {
      from.on('data', (part) => void (dead(direction) || to.write(part)))
      from.on('close', () => void (dead(direction) || to.destroy()))
    }
    pass(inner, outer, 'up')
    pass(outer, inner, 'down')
  }
}
