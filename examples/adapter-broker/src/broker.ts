// The engine of this example: a broker that hands each message to the other clients of its topic. It knows nothing of p2pl.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { receive, send, type Line } from './protocol.ts'

interface Client {
  readonly socket: Socket
  readonly topics: Set<string>
  id: string
}

export interface Broker {
  readonly port: number
  /** Ends the connection of a client and refuses new ones, until the returned function is called. */
  block(id: string): () => void
  close(): Promise<void>
}

export async function startBroker(port = 0): Promise<Broker> {
  const clients = new Set<Client>()
  const blocked = new Set<string>()

  const handle = (client: Client, line: Line): void => {
    const { socket, topics } = client
    if ('hello' in line) {
      client.id = line.hello
      if (blocked.has(client.id)) socket.destroy()
      else send(socket, { ok: line.n })
    } else if ('join' in line) {
      topics.add(line.join)
      send(socket, { ok: line.n })
    } else if ('leave' in line) {
      topics.delete(line.leave)
      send(socket, { ok: line.n })
    } else if ('publish' in line) {
      const { publish: topic, payload, n } = line
      const others = [...clients].filter((other) => other !== client && other.topics.has(topic))
      for (const other of others) send(other.socket, { message: topic, payload, from: client.id })
      send(socket, { ok: n, recipients: others.length })
    } else if ('ping' in line) send(socket, line)
  }

  const server = createServer((socket) => {
    const client: Client = { socket, topics: new Set(), id: '' }
    clients.add(client)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clients.delete(client))
    receive(socket, (line) => handle(client, line))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    block: (id) => {
      blocked.add(id)
      for (const client of clients) if (client.id === id) client.socket.destroy()
      return () => void blocked.delete(id)
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const { socket } of clients) socket.destroy()
      await closed
    }
  }
}
