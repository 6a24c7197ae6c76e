import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  type LaneAddress,
  type LaneListener,
  type LaneMaker,
  type LaneSecret,
  ticketTime
} from '../engine/bulk/lane.ts'

/** OpenSSL's fastest cipher that works with a shared secret. Each socket agrees on new keys (psk_dhe_ke). */
const tls = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const
/** The most sockets whose handshake is in progress. Beyond that, the oldest is closed. */
const maxHandshakes = 64

export const laneMaker: LaneMaker = {
  listen: (host, secretOf, accept) => listen(host, secretOf, accept),
  dial: (address, secret) => dial(address, secret)
}

async function listen(
  host: string,
  secretOf: (ticket: string) => Uint8Array | undefined,
  accept: Parameters<LaneMaker['listen']>[2]
): Promise<LaneListener> {
  const { createServer } = await import('node:tls')
  /** By the remote end of the socket, because TLS passes another object. */
  const handshakes = new Map<string, Socket>()
  const tickets = new WeakMap<object, string>()
  const server = createServer({
    ...tls,
    handshakeTimeout: ticketTime,
    pskCallback: (socket, ticket) => {
      const secret = secretOf(ticket)
      if (secret === undefined) return null
      tickets.set(socket, ticket)
      return secret
    }
  })
  server.on('connection', (socket: Socket) => {
    const end = endOf(socket)
    handshakes.set(end, socket)
    socket.once('close', () => {
      if (handshakes.get(end) === socket) handshakes.delete(end)
    })
    if (handshakes.size <= maxHandshakes) return
    for (const [oldest, waiting] of handshakes) {
      handshakes.delete(oldest)
      waiting.destroy()
      return
    }
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {})
    handshakes.delete(endOf(socket))
    const ticket = tickets.get(socket)
    // A resumed session needs no ticket, and has no place here.
    if (ticket === undefined) socket.destroy()
    else accept(socket, ticket)
  })
  // A failed handshake has already closed its socket.
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: 0 }, resolve)
  })
  server.on('error', () => {})
  server.unref()
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => {
      server.close()
      for (const socket of handshakes.values()) socket.destroy()
    }
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

async function dial({ host, port }: LaneAddress, { ticket, secret }: LaneSecret): Promise<TLSSocket> {
  const { connect } = await import('node:tls')
  const socket = connect({
    ...tls,
    host,
    port,
    pskCallback: () => ({ psk: secret, identity: ticket }),
    // With the secret there is no certificate. A peer that presents one does not know the secret.
    checkServerIdentity: (_, certificate) =>
      Object.keys(certificate).length === 0 ? undefined : new Error('a certificate where a secret was agreed')
  })
  socket.on('error', () => {})
  const timer = setTimeout(() => socket.destroy(new Error('the handshake takes too long')), ticketTime)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the lane was closed')))
    })
  } finally {
    clearTimeout(timer)
  }
  if (Object.keys(socket.getPeerCertificate()).length > 0) {
    socket.destroy()
    throw new Error('a certificate where a secret was agreed')
  }
  return socket
}
