import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

const sockets = new Set<Socket>()
let pulled = false

for (const channel of ['net.client.socket', 'net.server.socket']) {
  subscribe(channel, (message) => {
    const { socket } = message as { socket: Socket }
    // A client's socket connects after this call, even when it was destroyed in it.
    if (pulled) queueMicrotask(() => socket.destroy())
    else sockets.add(socket.once('close', () => sockets.delete(socket)))
  })
}

/** Pulls the network cable of this process, whatever engine runs in it: no TCP connection stays, and none is made or taken. */
export function pullCable(pull: boolean): void {
  pulled = pull
  if (pull) for (const socket of sockets) socket.destroy()
}
