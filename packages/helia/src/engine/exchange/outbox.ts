import { systemClock } from '@p2pl/core/backend'
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

type Frame = Uint8Array | Uint8ArrayList

/** An unused stream is closed after this long (ms). Other nodes reset theirs after ten seconds. */
const idleLimit = 4_000
const sendLimit = 30_000
const openLimit = 10_000
/** When this many bytes wait for a peer, senders of blocks to it have to wait. */
const highWater = 4 * 1024 * 1024
/** At most this many bytes are kept for a peer that does not read. */
const limit = 12 * 1024 * 1024

/** Sends frames to one peer in order, on one stream while there are frames. Nobody waits for the peer. */
export class Outbox {
  readonly #libp2p: Libp2p
  readonly #protocol: string
  readonly #peer: PeerId
  #frames: Frame[] = []
  #bytes = 0
  #sending = false
  #drained = Promise.withResolvers<void>()
  #stream: Stream | undefined
  #idle: unknown
  #closed = false

  constructor(libp2p: Libp2p, protocol: string, peer: PeerId) {
    this.#libp2p = libp2p
    this.#protocol = protocol
    this.#peer = peer
  }

  /** Whether so many bytes wait that nothing large should be added before `drained` resolves. */
  get isFull(): boolean {
    return this.#bytes >= highWater
  }

  /** Throws when the peer stopped reading long ago. */
  push(frame: Frame): void {
    if (this.#closed) throw new Error('the exchange with the peer has ended')
    if (this.#bytes + frame.byteLength > limit) throw new Error('the peer does not read what it is sent')
    this.#frames.push(frame)
    this.#bytes += frame.byteLength
    if (this.#sending) return
    this.#sending = true
    void this.#run()
  }

  /** Resolves when fewer bytes wait, or when nothing will be sent any more. */
  async drained(): Promise<void> {
    if (this.isFull) await this.#drained.promise
  }

  close(): void {
    this.#closed = true
    systemClock.clearTimeout(this.#idle)
    this.#forget()
    this.#drop()
  }

  async #run(): Promise<void> {
    systemClock.clearTimeout(this.#idle)
    for (let frame = this.#frames[0]; frame !== undefined; frame = this.#frames[0]) {
      try {
        await this.#send(frame)
      } catch {
        // The peer cannot be reached for now. Both sides ask again for the blocks that they still want.
        this.#forget()
        break
      }
      if (this.#frames[0] !== frame) continue
      this.#frames.shift()
      this.#bytes -= frame.byteLength
      if (!this.isFull) this.#wake()
    }
    this.#sending = false
    if (this.#closed) return
    this.#idle = systemClock.setTimeout(() => this.#drop(), idleLimit)
  }

  async #send(frame: Frame): Promise<void> {
    const known = this.#stream
    try {
      await this.#write(frame)
    } catch (error) {
      this.#abort(error)
      // The remote may have ended a stream that it considered idle for too long. A new stream is opened.
      if (known === undefined || this.#closed) throw error
      await this.#write(frame)
    }
  }

  async #write(frame: Frame): Promise<void> {
    if (this.#closed) throw new Error('the exchange with the peer has ended')
    if (this.#stream?.status !== 'open' || this.#stream.writeStatus !== 'writable') this.#stream = await this.#open()
    if (!this.#stream.send(frame)) await this.#stream.onDrain({ signal: AbortSignal.timeout(sendLimit) })
  }

  async #open(): Promise<Stream> {
    const connection = this.#libp2p
      .getConnections(this.#peer)
      .findLast(({ status, limits }) => status === 'open' && limits === undefined)
    if (connection === undefined) throw new Error('the peer is not connected')
    return await connection.newStream(this.#protocol, { signal: AbortSignal.timeout(openLimit) })
  }

  #forget(): void {
    this.#frames = []
    this.#bytes = 0
    this.#wake()
  }

  #wake(): void {
    this.#drained.resolve()
    this.#drained = Promise.withResolvers()
  }

  #drop(): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.close({ signal: AbortSignal.timeout(openLimit) }).catch((error: Error) => stream.abort(error))
  }

  #abort(error: unknown): void {
    this.#stream?.abort(error instanceof Error ? error : new Error(String(error)))
    this.#stream = undefined
  }
}
