import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { BoundedMap, concatBytes, equalBytes, errorMessage } from '@p2pl/core/backend'
import { plainHost } from '@p2pl/embedded'
import type { Address } from '../../tools/address.ts'
import { hexOf, readUint16, uint16, uint32 } from '../../tools/bytes.ts'
import { peerIdOfKey, type Identity } from '../identity.ts'
import { linkKey } from '../keys.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { encodeHandshake, handshakeLength, infoHashOf, peerIdOf, readHead } from '../wire/handshake.ts'
import { secure } from '../wire/secure.ts'
import { frame, type Frames } from './frames.ts'
import { LinkReader } from './link-reader.ts'
import { Link } from './link.ts'
import type { Links } from './links.ts'
import type { Place } from './places.ts'
import type { Scheduler } from './scheduler.ts'

/** From the first byte of the handshake to the last (ms). */
const openingTimeout = 8_000
/** A peer that misbehaved is not linked again for this long (ms). */
const banTime = 600_000
const maxBanned = 4_096
/** Two ports. A later version may send more. */
const helloLength = 4
const helloLimit = 256

export interface OpenerInit {
  readonly identity: Identity
  readonly frames: Frames
  readonly scheduler: Scheduler
  readonly links: Links
  /** This peer's TCP port, and the UDP port of its DHT node; 0 for none. */
  readonly ports: () => { readonly tcp: number; readonly dht: number }
  /** Reports where the other side's DHT node listens. */
  readonly dhtNode: (host: string, port: number) => void
}

/** A connection did not become a link. */
export class OpenError extends Error {
  /** The peer id that the other side has proved to own, if it got that far. */
  readonly id: string | undefined

  constructor(cause: unknown, id: string | undefined) {
    super(errorMessage(cause), { cause })
    this.id = id
  }
}

/** Turns sockets into links: handshake, TLS, one greeting frame. */
export class Opener {
  readonly #init: OpenerInit
  readonly #banned = new BoundedMap<string, number>(maxBanned)

  constructor(init: OpenerInit) {
    this.#init = init
  }

  /** `dialled`: the address that was dialled; absent for an incoming connection. Rejects with `OpenError`. */
  async open(place: Place, dialled?: Address): Promise<Link> {
    const { socket } = place
    const timer = setTimeout(() => socket.destroy(), openingTimeout)
    let id: string | undefined
    try {
      const claimed = await this.#shakeHands(socket, dialled !== undefined)
      const role = dialled === undefined ? 'listener' : 'dialler'
      const { socket: secured, publicKey } = await secure(socket, role, this.#init.identity.secureContext)
      const peerId = peerIdOfKey(publicKey)
      if (!equalBytes(peerId, claimed)) throw new Error('the peer id is not that of the key')
      id = hexOf(peerId)
      if (id === this.#init.identity.id) throw new Error('the address leads to this peer itself')
      if ((this.#banned.get(id) ?? 0) > performance.now()) throw new Error(`the peer ${id} has misbehaved lately`)
      return await this.#greet(place, secured, { id, publicKey }, dialled)
    } catch (error) {
      socket.destroy()
      throw new OpenError(error, id)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves with the peer id that the other side claims. */
  async #shakeHands(socket: Socket, first: boolean): Promise<Uint8Array> {
    const { identity } = this.#init
    const own = encodeHandshake({ infoHash: linkKey, peerId: identity.peerId })
    if (first) socket.write(own)
    const head = await new Promise<Uint8Array>((resolve, reject) => {
      socket.once('close', () => reject(new Error('the other hung up')))
      readHead(socket, handshakeLength, resolve)
    })
    if (!equalBytes(infoHashOf(head), linkKey)) throw new Error('the other wants something else')
    if (!first) socket.write(own)
    return peerIdOf(head)
  }

  async #greet(place: Place, socket: TLSSocket, proven: Proven, dialled: Address | undefined): Promise<Link> {
    const { frames, scheduler, links, ports, dhtNode } = this.#init
    let greeted = false
    const reader = new FrameReader((kind) => {
      if (greeted) return frames.limitOf(kind)
      return kind === frame.hello ? helloLimit : -1
    })
    const answer = firstFrame(socket, reader)
    const { tcp, dht } = ports()
    const body = concatBytes(uint16(tcp), uint16(dht))
    socket.write(concatBytes(uint32(1 + body.byteLength), Uint8Array.of(frame.hello), body))
    const hello = await answer
    if (socket.destroyed) throw new Error('the connection ended')
    greeted = true
    const host = plainHost(place.socket.remoteAddress ?? '')
    const [port, node] = [readUint16(hello, 0), readUint16(hello, 2)]
    const address = dialled ?? (port === 0 ? undefined : { host, port })
    const misbehaved = (id: string): void => this.#banned.set(id, performance.now() + banTime)
    const link = new Link({ ...proven, socket, address, outgoing: place.outgoing, misbehaved })
    place.link = link
    if (!links.enter(link)) throw new Error(`a link to ${link.id} is there already`)
    new LinkReader({ link, socket, reader, frames, scheduler, closed: () => links.leave(link) }).start()
    socket.resume()
    if (node > 0) dhtNode(host, node)
    return link
  }
}

interface Proven {
  readonly id: string
  readonly publicKey: Uint8Array
}

/** The body of the other side's greeting. The socket is paused afterwards. */
async function firstFrame(socket: TLSSocket, reader: FrameReader): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const onData = (part: Buffer): void => {
    try {
      reader.push(part)
      const first = reader.take()
      if (first === undefined) return
      if (first.kind !== frame.hello || first.body.byteLength < helloLength) throw new Error('no greeting')
      socket.off('data', onData)
      socket.pause()
      resolve(first.body)
    } catch (error) {
      reject(error)
    }
  }
  socket.on('data', onData)
  socket.once('close', () => reject(new Error('the connection ended before the greeting')))
  return await promise
}
