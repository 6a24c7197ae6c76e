import { Buffer } from 'node:buffer'

/** A message from one peer to another. `n` is the number of a request, and comes back in the answer. */
export type Header =
  | { readonly hello: string; readonly address: string }
  | { readonly join: string; readonly n: number }
  | { readonly leave: string }
  | { readonly publish: string }
  // [full
  | { readonly want: string; readonly n: number }
  | { readonly have: string }
  // full]
  | { readonly ok: number; readonly found?: boolean }
  | { readonly ping: true }
  | { readonly bye: true }

export interface Frame {
  readonly header: Header
  /** The bytes that belong to the header: a payload or a block. */
  readonly body: Uint8Array
}

/** All input from the network is limited in size. */
export const maxMessage: number = 256 * 1024
// [full
export const maxBody: number = 2 * 1024 * 1024
// full]
//| const maxBody = maxMessage
const maxHeader = 16 * 1024
const prefix = 8

export function encodeFrame(header: Header, body: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(prefix)
  lengths.writeUInt32BE(text.byteLength, 0)
  lengths.writeUInt32BE(body.byteLength, 4)
  return Buffer.concat([lengths, text, body])
}

/** Cuts a stream of bytes into frames. Throws if the other side violates the protocol. */
export class FrameReader {
  #chunks: Buffer[] = []
  #length = 0
  #needed = prefix

  read(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    this.#chunks.push(chunk)
    this.#length += chunk.byteLength
    while (this.#length >= this.#needed) {
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
      this.#chunks = [all]
      const [header, body] = [all.readUInt32BE(0), all.readUInt32BE(4)]
      if (header > maxHeader || body > maxBody) throw new RangeError('a frame is too large')
      const end = prefix + header + body
      this.#needed = end
      if (this.#length < end) break
      this.#chunks = [all.subarray(end)]
      this.#length -= end
      this.#needed = prefix
      const text = all.toString('utf8', prefix, prefix + header)
      frames.push({ header: parseHeader(text), body: new Uint8Array(all.subarray(prefix + header, end)) })
    }
    return frames
  }
}

const kinds: Readonly<Record<string, 'string' | 'number' | 'boolean'>> = {
  hello: 'string',
  address: 'string',
  join: 'string',
  leave: 'string',
  publish: 'string',
  // [full
  want: 'string',
  have: 'string',
  found: 'boolean',
  // full]
  ok: 'number',
  n: 'number',
  ping: 'boolean',
  bye: 'boolean'
}

/** Parses a header and checks the types of its fields. */
function parseHeader(text: string): Header {
  const header: unknown = JSON.parse(text)
  if (typeof header !== 'object' || header === null) throw new TypeError('a header is no object')
  for (const [key, value] of Object.entries(header))
    if (Object.hasOwn(kinds, key) && typeof value !== kinds[key]) throw new TypeError(`${key} is no ${kinds[key]}`)
  if (['join', 'want'].some((key) => key in header) && !('n' in header)) throw new TypeError('a request has no number')
  return header as Header
}
