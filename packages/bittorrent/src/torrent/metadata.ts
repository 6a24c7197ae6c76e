import type Wire from 'bittorrent-protocol'
import { concatBytes, equalBytes } from '../bytes.ts'
import { bdecode, bencode } from './bencode.ts'
import { maxInfoLength, sha1 } from './info.ts'

const name = 'ut_metadata'
const pieceLength = 16_384
const message = { request: 0, data: 1, reject: 2 } as const
/** Requests that one wire may make: enough for all of the largest metadata, twice. */
const maxRequests: number = (2 * maxInfoLength) / pieceLength

/** BEP 9: gives the metadata to those who have a magnet link only, or gets it from those who have it. */
export class Metadata {
  readonly #wire: Wire
  readonly #own: Uint8Array | undefined
  readonly #wanted: Uint8Array
  readonly #found: (info: Uint8Array) => void
  #parts: (Uint8Array | undefined)[] = []
  #size = 0
  #requests = 0

  /** Registers the extension; call it before the handshake is sent. */
  constructor(
    wire: Wire,
    infoHash: Uint8Array,
    own: Uint8Array | undefined,
    port: number,
    found: (info: Uint8Array) => void
  ) {
    this.#wire = wire
    this.#wanted = infoHash
    this.#own = own
    this.#found = found
    wire.extendedHandshake = {
      v: 'p2pl',
      p: port,
      reqq: 256,
      ...(own === undefined ? {} : { metadata_size: own.byteLength })
    }
    const onHandshake = (handshake: unknown): void => this.#onHandshake(handshake)
    const onMessage = (bytes: Uint8Array): void => this.#onMessage(bytes)
    class Extension {
      onExtendedHandshake(handshake: unknown): void {
        onHandshake(handshake)
      }
      onMessage(bytes: Uint8Array): void {
        onMessage(bytes)
      }
    }
    Object.defineProperty(Extension.prototype, 'name', { value: name })
    wire.use(Extension)
  }

  #onHandshake(handshake: unknown): void {
    const size = Number((handshake as { metadata_size?: unknown }).metadata_size)
    if (this.#own !== undefined || !Number.isInteger(size) || size < 1 || size > maxInfoLength || this.#size > 0) return
    this.#size = size
    this.#parts = Array.from({ length: Math.ceil(size / pieceLength) }, () => undefined)
    for (let piece = 0; piece < this.#parts.length; piece++)
      this.#wire.extended(name, bencode({ msg_type: message.request, piece }))
  }

  /** Throws for what is malformed: the guard of the wire ends the connection. */
  #onMessage(bytes: Uint8Array): void {
    const { value, end } = bdecode(bytes)
    const { msg_type: type, piece } = value as { msg_type?: unknown; piece?: unknown }
    if (typeof piece !== 'number' || piece < 0) throw new RangeError('no piece is named')
    if (type === message.request) this.#onRequest(piece)
    else if (type === message.data) this.#onData(piece, new Uint8Array(bytes.subarray(end)))
  }

  #onRequest(piece: number): void {
    const own = this.#own
    if (++this.#requests > maxRequests) throw new RangeError('too many requests for metadata')
    if (own === undefined || piece * pieceLength >= own.byteLength)
      return this.#wire.extended(name, bencode({ msg_type: message.reject, piece }))
    const head = bencode({ msg_type: message.data, piece, total_size: own.byteLength })
    this.#wire.extended(name, concatBytes(head, own.subarray(piece * pieceLength, (piece + 1) * pieceLength)))
  }

  #onData(piece: number, part: Uint8Array): void {
    if (piece >= this.#parts.length) throw new RangeError('metadata that nobody asked for')
    const size = Math.min(pieceLength, this.#size - piece * pieceLength)
    if (part.byteLength !== size) throw new RangeError('metadata of the wrong length')
    this.#parts[piece] = part
    if (this.#parts.includes(undefined)) return
    const info = concatBytes(...this.#parts.filter((one) => one !== undefined))
    if (!equalBytes(sha1(info), this.#wanted)) throw new RangeError('metadata that does not match the infohash')
    this.#found(info)
  }
}
