import { createSocket, type Socket as Udp } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface Place {
  readonly address: string
  readonly port: number
}

/**
 * What pages send to each other and to a node goes through here until it is cut. As with a cable that is pulled, nobody is told:
 * packets are lost, and a connection that is made meanwhile never gets an answer.
 */
export class Cable {
  readonly #udp: Udp[] = []
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #ports = new Map<string, Promise<number>>()
  /** Connections that were made while it was cut. */
  unanswered = 0
  cut = false

  /** The UDP port on loopback that leads to this place. */
  async packetsTo({ address, port }: Place): Promise<number> {
    const key = `${address}:${port}`
    const known = this.#ports.get(key) ?? this.#openUdp({ address, port })
    this.#ports.set(key, known)
    return await known
  }

  /** A TCP port on loopback that leads to this one. */
  async connectionsTo(port: number): Promise<number> {
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      let lost = this.cut
      if (lost) this.unanswered++
      for (const [from, to] of [
        [near, far],
        [far, near]
      ] as const) {
        this.#sockets.add(from)
        from.setNoDelay(true)
        from.on('data', (bytes) => {
          lost ||= this.cut
          if (!lost) to.write(bytes)
        })
        from.on('error', () => {})
        from.on('close', () => {
          this.#sockets.delete(from)
          lost ||= this.cut
          if (!lost) to.destroy()
        })
      }
    })
    this.#servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#udp) socket.close()
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #openUdp({ address, port }: Place): Promise<number> {
    const entry = await this.#socket()
    const exits = new Map<string, Promise<Udp>>()
    entry.on('message', (data, from) => {
      if (this.cut) return
      const key = `${from.address}:${from.port}`
      const exit = exits.get(key) ?? this.#exit(entry, from)
      exits.set(key, exit)
      void exit.then((socket) => socket.send(data, port, address))
    })
    return entry.address().port
  }

  /** Packets of one sender leave by it, and what comes back to it goes to that sender. */
  async #exit(entry: Udp, sender: Place): Promise<Udp> {
    const exit = await this.#socket()
    exit.on('message', (data) => {
      if (!this.cut) entry.send(data, sender.port, sender.address)
    })
    return exit
  }

  async #socket(): Promise<Udp> {
    const socket = createSocket('udp4')
    this.#udp.push(socket)
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
}
