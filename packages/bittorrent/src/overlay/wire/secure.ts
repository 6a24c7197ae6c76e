import type { Socket } from 'node:net'
import { connect, createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import type { KeyObject } from 'node:crypto'
import { bytesOfKey, certificateOf } from './certificate.ts'

/** Name and version of the protocol inside TLS (RFC 7301). */
const protocolName = 'p2pl/2'

export interface SecureSocket {
  readonly socket: TLSSocket
  /** The other side's Ed25519 key, 32 bytes. It has proved on this connection that it owns the key. */
  readonly publicKey: Uint8Array
}

/** TLS 1.3 and Ed25519, nothing older and nothing else. */
export function secureContextOf(key: KeyObject): SecureContext {
  const pem = key.export({ format: 'pem', type: 'pkcs8' })
  return createSecureContext({ key: pem, cert: certificateOf(key), minVersion: 'TLSv1.3', sigalgs: 'ed25519' })
}

/**
 * Puts TLS on a socket. Each side shows a certificate that it has signed itself, and proves with a signature over this
 * very connection that it owns the key in it (RFC 8446, 4.4.3). Nobody can pass on such a proof. Rejects, and destroys
 * the socket, when the other side does not do the same.
 */
export async function secure(
  socket: Socket,
  role: 'dialler' | 'listener',
  secureContext: SecureContext
): Promise<SecureSocket> {
  // No authority vouches for these certificates. The peer id is a hash of the key, and that is what counts.
  const common = { secureContext, rejectUnauthorized: false, ALPNProtocols: [protocolName] }
  const secured =
    role === 'dialler'
      ? connect({ ...common, socket })
      : new TLSSocket(socket, { ...common, isServer: true, requestCert: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  secured.once('secure', () => resolve())
  secured.on('error', (error) => {
    reject(error)
    secured.destroy()
  })
  secured.once('close', () => reject(new Error('the connection ended before it was secure')))
  try {
    await promise
    const key = secured.getPeerX509Certificate()?.publicKey
    if (key?.asymmetricKeyType !== 'ed25519') throw new Error('the other shows no key of Ed25519')
    if (secured.alpnProtocol !== protocolName) throw new Error('the other speaks another version of the protocol')
    return { socket: secured, publicKey: bytesOfKey(key) }
  } catch (error) {
    secured.destroy()
    throw error
  }
}
