import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { encodeFrame, type Frame, FrameReader, type Header } from './frames.ts'

const pingMs = 500
/** A peer that has said nothing while so many pings went out is gone, whatever its socket says. */
const maxPings = 6
/** Bytes that may wait for a peer that does not read. */
const maxWaiting = 16 * 1024 * 1024

// [full
type Request = { readonly join: string } | { readonly want: string }
// full]
//| type Request = { readonly join: string }
type Answer = Frame & { readonly header: { readonly found?: boolean } }

/** One connection to another peer: frames in both directions, requests with answers, an end that is noticed. */
export class Link {
  /** Known once the peer has greeted. */
  id = ''
  /** Where it listens. */
  address = ''
  /** The topics that it has joined. */
  readonly topics: Set<string> = new Set<string>()
  // [full
  /** Blocks that it wants and that are not here, by multihash. */
  readonly wanted: Set<string> = new Set<string>()
  // full]
  /** Whether it said that it leaves: then nothing is missing. */
  left = false
  readonly #socket: Socket
  readonly #answers = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #requests = 0

  constructor(socket: Socket, onFrame: (frame: Frame) => void, onClose: () => void) {
    this.#socket = socket.setNoDelay(true)
    let unanswered = 0
    // Not the timeout of the socket: writing counts there, too. Nor a time: what came while this process stood still is read later.
    const pings = setInterval(() => {
      if (unanswered++ === maxPings) socket.destroy()
      else this.send({ ping: true })
    }, pingMs).unref()
    const reader = new FrameReader()
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      unanswered = 0
      try {
        for (const frame of reader.read(chunk)) {
          if ('ok' in frame.header) this.#answers.get(frame.header.ok)?.resolve(frame)
          else onFrame(frame)
        }
      } catch {
        // It does not keep to the protocol.
        socket.destroy()
      }
    })
    socket.once('close', () => {
      clearInterval(pings)
      for (const { reject } of this.#answers.values()) reject(gone())
      onClose()
    })
  }

  get open(): boolean {
    return !this.left && !this.#socket.destroyed
  }

  send(header: Header, body?: Uint8Array): void {
    if (!this.open) return
    this.#socket.write(encodeFrame(header, body))
    if (this.#socket.writableLength > maxWaiting) this.close()
  }

  async request(request: Request): Promise<Answer> {
    if (!this.open) throw gone()
    const n = ++this.#requests
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#answers.set(n, { resolve, reject })
    this.send({ ...request, n })
    return await promise.finally(() => this.#answers.delete(n))
  }

  // [full
  /** Resolves when the peer has taken most of what was sent, or is gone. */
  async drained(): Promise<void> {
    if (!this.open || !this.#socket.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve).once('close', resolve)
    })
  }
  // full]

  /** Says that this peer leaves, so that the other side misses nothing. */
  leave(): void {
    this.send({ bye: true })
    this.left = true
    this.#socket.end()
    // A peer that does not read must not hold up the end.
    setTimeout(() => this.#socket.destroy(), 100).unref()
  }

  close(): void {
    this.#socket.destroy()
  }
}

function gone(): Error {
  return Object.assign(new Error('the peer is gone'), { code: 'ECONNRESET' })
}
