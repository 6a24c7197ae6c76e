import type { MultiaddrConnection } from '@libp2p/interface'

/** The members of a TCP connection that this package uses beyond the published interface. */
interface TcpConnection {
  readonly socket: { cork(): void; uncork(): void }
  sendData(data: unknown): unknown
}

/**
 * Hands a message to the socket as a whole. The engine hands over each part separately, which costs one more system
 * call and one more packet for the two bytes of length before each frame of noise.
 */
export function writeWhole(connection: MultiaddrConnection): void {
  if (!isTcp(connection)) return
  const { socket } = connection
  const sendData = connection.sendData.bind(connection)
  connection.sendData = (data) => {
    socket.cork()
    try {
      return sendData(data)
    } finally {
      socket.uncork()
    }
  }
}

function isTcp(connection: object): connection is TcpConnection {
  const { socket, sendData } = connection as Partial<TcpConnection>
  return typeof socket?.cork === 'function' && typeof sendData === 'function'
}
