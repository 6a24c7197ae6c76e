import type { Server, Socket } from 'node:net'
import type { Libp2pOptions } from 'libp2p'
import { type Members, requireMembers } from '../engine/members.ts'

type MakeTransport = NonNullable<Libp2pOptions['transports']>[number]

/** The members of a listener beyond the published interface. */
interface Listener {
  readonly server: Server
  readonly http?: Server | undefined
  readonly https?: Server | undefined
  listen(...rest: unknown[]): Promise<void>
}

export const listenerMembers: Members = { 'server.on': 'function' }

/**
 * The most sockets that are not WebSockets yet. Beyond that, the oldest is closed. Once they are WebSockets, they count
 * as handshakes.
 */
const maxSilent = 256

/**
 * Limits sockets that send nothing. The engine waits for the first bytes of a socket for ever, so strangers could take
 * all sockets of the process.
 */
export function boundSilent(make: MakeTransport): MakeTransport {
  return (components) => {
    const transport = make(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options)
      watch(listener as unknown as Listener)
      return listener
    }
    return transport
  }
}

function watch(listener: Listener): void {
  const silent = new Set<Socket>()
  const listen = listener.listen.bind(listener)
  listener.listen = async (...rest) => {
    const listening = listen(...rest)
    requireMembers('@libp2p/websockets', listener, listenerMembers)
    listener.server.on('connection', (socket) => {
      const [oldest] = silent
      if (oldest !== undefined && silent.size >= maxSilent) oldest.destroy()
      silent.add(socket)
      socket.once('close', () => silent.delete(socket))
    })
    for (const web of [listener.http, listener.https])
      web?.on('upgrade', ({ socket }: { socket: Socket }) => silent.delete(socket))
    await listening
  }
}
