import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { encodeFrame, type Frame, FrameReader, type Header } from './frames.ts'

const pingMs = 500
/** A peer that has sent nothing while this many pings went out is gone, even if its socket is still open. */
const maxPings = 6
/** Maximum bytes that wait for a peer that does not read. */
const maxWaiting = 16 * 1024 * 1024

// [full
type Request = { readonly join: string } | { readonly want: string }
// full]
//| type Request = { readonly join: string }
type Answer = Frame & { readonly header: { readonly found?: boolean } }

/** One connection to another peer: frames in both directions, requests with answers, and a detected end. */
export class Link {
  /** Known once the peer has greeted. */
  id = ''
  /** The address on which it listens. */
  address = ''
  /** The topics that it has joined. */
  topics: Set<string> = new Set<string>()
  // [full
  /** Blocks that the peer wants and that are not here, by multihash. */
  wanted: Set<string> = new Set<string>()
  // full]
  /** Whether the peer said that it is leaving. In that case no message is missing. */
  left = false
  readonly #socket: Socket
  readonly #answers = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #requests = 0

  constructor(socket: Socket, onFrame: (frame: Frame) => void, onClose: () => void) {
    this.#socket = socket.setNoDelay(true)
    let unanswered = 0
    // This is not the socket's timeout, because writing counts as activity there. It is not a duration either: if this
    // process is stalled, it reads the bytes of that time later.
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
        // The peer violates the protocol.
        socket.destroy()
      }
    })
    socket.once('close', () => {
      clearInterval(pings)
      for (const { reject } of this.#answers.values()) reject(gone())
      onClose()
    })
  }

  /** The other link leads to the same peer. The peer speaks by either of them, so they share what it said. */
  share(other: Link): void {
    this.topics = other.topics
    // [full
    this.wanted = other.wanted
    // full]
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
  /** Resolves when the peer has taken most of the sent bytes, or is gone. */
  async drained(): Promise<void> {
    if (!this.open || !this.#socket.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve).once('close', resolve)
    })
  }
  // full]

  /** Tells the peer that this one is leaving, so that it reports no gap. */
  leave(): void {
    this.send({ bye: true })
    this.left = true
    this.#socket.end()
    // A peer that does not read must not delay the end.
    setTimeout(() => this.#socket.destroy(), 100).unref()
  }

  close(): void {
    this.#socket.destroy()
  }
}

function gone(): Error {
  return Object.assign(new Error('the peer is gone'), { code: 'ECONNRESET' })
}
