import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { concatBytes, type Backend } from '@p2pl/core/backend'
import { identityOf, type Identity } from '../src/overlay/identity.ts'
import { linkKey } from '../src/overlay/keys.ts'
import { frame } from '../src/overlay/links/frames.ts'
import { FrameReader, type Frame } from '../src/overlay/wire/frame-reader.ts'
import { encodeHandshake, handshakeLength, readHead } from '../src/overlay/wire/handshake.ts'
import { secure } from '../src/overlay/wire/secure.ts'
import { uint16, uint32 } from '../src/tools/bytes.ts'
import { selfOf } from './support.ts'

export function portOf(backend: Backend): number {
  return Number(selfOf(backend).addresses[0]?.split(':')[1])
}

export const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** A frame as it stands on the link. */
export function frameBytes(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  return concatBytes(uint32(1 + body.byteLength), Uint8Array.of(kind), body)
}

/** A TCP connection whose errors nobody minds. */
export async function rawSocket(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host, port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

export const newIdentity = (): Identity => identityOf(new Uint8Array(randomBytes(32)))

export interface StrangerOptions {
  readonly identity?: Identity
  /** The peer id that it claims, where that is not its own. */
  readonly claimed?: Uint8Array
  /** Where it says that it listens. */
  readonly tcp?: number
}

/** A peer that opens a link as it should, and then sends what the test likes. */
export class Stranger {
  readonly identity: Identity
  readonly socket: TLSSocket
  readonly heard: Frame[] = []
  onFrame: (frame: Frame) => void = () => {}

  constructor(identity: Identity, socket: TLSSocket) {
    this.identity = identity
    this.socket = socket
    const reader = new FrameReader(() => Infinity)
    socket.on('data', (part: Buffer) => {
      reader.push(part)
      for (let next = reader.take(); next !== undefined; next = reader.take()) {
        const copy = { kind: next.kind, body: new Uint8Array(next.body) }
        this.heard.push(copy)
        this.onFrame(copy)
      }
    })
  }

  get closed(): boolean {
    return this.socket.destroyed
  }

  send(kind: number, ...parts: readonly Uint8Array[]): boolean {
    return this.socket.write(frameBytes(kind, ...parts))
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Rejects when the other does not let it in. */
export async function stranger(port: number, options: StrangerOptions = {}): Promise<Stranger> {
  const { identity = newIdentity(), tcp = 0 } = options
  const socket = await rawSocket(port)
  socket.write(encodeHandshake({ infoHash: linkKey, peerId: options.claimed ?? identity.peerId }))
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('hung up')))
    readHead(socket, handshakeLength, () => resolve())
  })
  const { socket: secured } = await secure(socket, 'dialler', identity.secureContext)
  const own = new Stranger(identity, secured)
  own.send(frame.hello, uint16(tcp), uint16(0))
  await new Promise<void>((resolve, reject) => {
    secured.once('close', () => reject(new Error('hung up')))
    own.onFrame = ({ kind }) => kind === frame.hello && resolve()
  })
  own.onFrame = () => {}
  return own
}
