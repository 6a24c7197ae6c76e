import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { OpenStack } from './stack.ts'

/**
 * Only sockets: each message goes to each peer in a separate frame. Content is requested by its hash, and hashed on
 * arrival.
 */
const tcp: OpenStack = async () => {
  const links = new Set<Socket>()
  const listeners = new Map<string, (payload: Uint8Array) => void>()
  const stored = new Map<string, Uint8Array>()
  const wanted = new Map<string, (bytes: Uint8Array) => void>()
  const handlers: readonly ((name: string, body: Buffer, from: Socket) => void)[] = [
    (topic, payload) => listeners.get(topic)?.(payload),
    (id, _, from) => {
      const bytes = stored.get(id)
      // The asking peer has asked all of its peers.
      if (bytes !== undefined) from.write(frame(2, id, bytes))
    },
    (id, body) => wanted.get(id)?.(body)
  ]
  const add = (socket: Socket): void => {
    links.add(socket.setNoDelay())
    readFrames(socket, (kind, name, body) => handlers[kind]?.(name, body, socket))
  }
  const server = createServer(add).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    self: async () => (server.address() as AddressInfo).port,
    connect: async (to) => {
      const socket = connect(to as number, '127.0.0.1')
      await once(socket, 'connect')
      add(socket)
    },
    messages: {
      subscribe: async (topic, onMessage) => void listeners.set(topic, onMessage),
      ready: async (_, peers) => {
        if (links.size < peers) await once(server, 'connection')
      },
      publish: async (topic, payload) => {
        const bytes = frame(0, topic, payload)
        const full = [...links].filter((link) => !link.write(bytes))
        await Promise.all(full.filter((link) => link.writableNeedDrain).map((link) => once(link, 'drain')))
      }
    },
    content: {
      add: async (bytes) => {
        const id = randomBytes(32).toString('hex')
        stored.set(id, bytes)
        return id
      },
      get: async (id) => {
        const bytes = await new Promise<Uint8Array>((resolve) => {
          wanted.set(id, resolve)
          for (const link of links) link.write(frame(1, id, new Uint8Array()))
        })
        wanted.delete(id)
        hash('sha256', bytes)
        return bytes.byteLength
      },
      forget: async () => stored.clear()
    }
  }
}

/** `length of name ‖ body, kind, length of name, name, body`. */
function frame(kind: number, name: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(6 + name.length + body.byteLength)
  bytes.writeUInt32BE(name.length + body.byteLength)
  bytes[4] = kind
  bytes[5] = name.length
  bytes.write(name, 6, 'latin1')
  bytes.set(body, 6 + name.length)
  return bytes
}

function readFrames(socket: Socket, onFrame: (kind: number, name: string, body: Buffer) => void): void {
  let waiting: Buffer[] = []
  let size = 0
  socket.on('data', (chunk: Buffer) => {
    waiting.push(chunk)
    size += chunk.length
    const first = waiting[0] as Buffer
    if (first.length >= 4 && size < 6 + first.readUInt32BE()) return
    let all = waiting.length === 1 ? chunk : Buffer.concat(waiting)
    while (all.length >= 6 && all.length >= 6 + all.readUInt32BE()) {
      const [end, start] = [6 + all.readUInt32BE(), 6 + (all[5] as number)]
      onFrame(all[4] as number, all.toString('latin1', 6, start), all.subarray(start, end))
      all = all.subarray(end)
    }
    waiting = all.length === 0 ? [] : [all]
    size = all.length
  })
}

export default tcp
