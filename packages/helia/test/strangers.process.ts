// Strangers that connect and do nothing.
import { connect } from 'node:net'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { answer } from '@p2pl/tooling-vitest/answer'

answer({
  /** Sockets on which nothing is said. */
  sockets: async (port: number, count: number) => {
    await Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(port, '127.0.0.1', resolve)
            socket.on('error', () => resolve())
          })
      )
    )
  },
  /** Connections whose handshake is done. */
  handshakes: async (address: string, count: number) => {
    for (let i = 0; i < count; i++) {
      const node = await createLibp2p({
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify() }
      })
      await node.dial(multiaddr(address)).catch(() => {})
    }
  }
})
