import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { concatBytes } from '@p2pl/core/backend'
import { afterEach } from 'vitest'
import { bdecode, bencode } from '../../src/tools/bencode.ts'
import { readUint32, uint32 } from '../../src/tools/bytes.ts'
import { ascii } from '../strangers.ts'

const servers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A message of BitTorrent with its length in front. */
export function message(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  return concatBytes(uint32(body.byteLength), body)
}

export const extended = (id: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  message(Uint8Array.of(20, id), ...parts)

const reserved = Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 1)

/** As a client of BitTorrent begins. */
export function handshake(infoHash: Uint8Array): Uint8Array {
  return concatBytes(ascii('\u0013BitTorrent protocol'), reserved, infoHash, ascii('-XX0000-'), randomBytes(12))
}

export const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest())

/** sha1 of each piece, one after the other. */
export function piecesOf(bytes: Uint8Array, pieceLength: number): Uint8Array {
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; at += pieceLength) hashes.push(sha1(bytes.subarray(at, at + pieceLength)))
  return concatBytes(...hashes)
}

export interface Peer {
  readonly socket: Socket
  /** The other's number for `ut_metadata`. */
  readonly metadataId: number
}

export interface Behaviour {
  /** What it says the metadata is. */
  readonly info?: Uint8Array
  /** The other has told its extensions. */
  readonly greeted?: (peer: Peer) => void
  readonly request?: (peer: Peer, index: number, offset: number, length: number) => void
  readonly pieces?: number
}

export interface Seeder {
  readonly address: string
  readonly port: number
  /** How many of its connections have ended. */
  readonly closed: () => number
}

/** A client that is dialled, and answers as the test likes. */
export async function seeder(infoHash: Uint8Array, behaviour: Behaviour): Promise<Seeder> {
  let closed = 0
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('close', () => closed++)
    socket.write(handshake(infoHash))
    const size = behaviour.info?.byteLength
    const hello = { m: { ut_metadata: 3 }, ...(size === undefined ? {} : { metadata_size: size }) }
    socket.write(extended(0, bencode(hello)))
    if (behaviour.pieces !== undefined) {
      const bits = new Uint8Array(Math.ceil(behaviour.pieces / 8))
      for (let i = 0; i < behaviour.pieces; i++) bits[i >> 3] = (bits[i >> 3] ?? 0) | (0x80 >> (i & 7))
      socket.write(message(Uint8Array.of(5), bits))
      socket.write(message(Uint8Array.of(1)))
    }
    let metadataId = 0
    let received: Uint8Array = new Uint8Array()
    let skipped = false
    socket.on('data', (part) => {
      received = concatBytes(received, part)
      if (!skipped) {
        if (received.byteLength < 68) return
        received = received.subarray(68)
        skipped = true
      }
      while (received.byteLength >= 4 && received.byteLength >= 4 + readUint32(received, 0)) {
        const body = received.subarray(4, 4 + readUint32(received, 0))
        received = received.subarray(4 + body.byteLength)
        const peer = { socket, metadataId }
        if (body[0] === 20 && body[1] === 0) {
          const told = bdecode(body.subarray(2)).value as { m?: { ut_metadata?: number } }
          metadataId = told.m?.ut_metadata ?? 0
          behaviour.greeted?.({ socket, metadataId })
        } else if (body[0] === 20 && body[1] === 3 && behaviour.info !== undefined) {
          const { piece } = bdecode(body.subarray(2)).value as { piece: number }
          const bytes = behaviour.info.subarray(piece * 16_384, (piece + 1) * 16_384)
          const head = bencode({ msg_type: 1, piece, total_size: behaviour.info.byteLength })
          socket.write(extended(metadataId, head, bytes))
        } else if (body[0] === 6)
          behaviour.request?.(peer, readUint32(body, 1), readUint32(body, 5), readUint32(body, 9))
      }
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { address: `127.0.0.1:${port}`, port, closed: () => closed }
}

export interface HonestSeeder extends Seeder {
  /** How many bytes of each piece were asked for. */
  readonly asked: Map<number, number>
  /** Pieces from this one on are not given. */
  limit: number
}

/** A client that has all bytes of a torrent, and gives them. */
export async function honestSeeder(info: Uint8Array, bytes: Uint8Array, pieceLength: number): Promise<HonestSeeder> {
  const asked = new Map<number, number>()
  const state = { asked, limit: Infinity }
  const base = await seeder(sha1(info), {
    info,
    pieces: Math.ceil(bytes.byteLength / pieceLength),
    request: ({ socket }, index, offset, length) => {
      if (index >= state.limit) return
      asked.set(index, (asked.get(index) ?? 0) + length)
      const start = index * pieceLength + offset
      socket.write(message(Uint8Array.of(7), uint32(index), uint32(offset), bytes.subarray(start, start + length)))
    }
  })
  return Object.assign(state, base)
}

export const magnetOf = (infoHash: Uint8Array, ...peers: readonly string[]): string =>
  `magnet:?xt=urn:btih:${Buffer.from(infoHash).toString('hex')}${peers.map((peer) => `&x.pe=${peer}`).join('')}`
