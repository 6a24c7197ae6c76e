import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { keepNothingAlive } from '@p2pl/embedded'

export const protocol = '/ipfs/bitswap/1.2.0'

/** A stream without use is closed after this long; other nodes reset theirs after ten seconds. */
const idleLimit = 4_000
const sendLimit = 30_000
const openLimit = 10_000

/** Sends messages to one peer, one after the other, on one stream for as long as there are some. */
export class Outbox {
  readonly #libp2p: Libp2p
  readonly #peer: PeerId
  #stream: Stream | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(libp2p: Libp2p, peer: PeerId) {
    this.#libp2p = libp2p
    this.#peer = peer
  }

  /** Resolves when the stream has taken the message; rejects when there is no way to the peer. */
  async send(frame: Uint8Array): Promise<void> {
    const turn = this.#last.then(() => this.#send(frame))
    this.#last = turn.catch(() => {})
    await turn
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#idle)
    this.#drop()
  }

  async #send(frame: Uint8Array): Promise<void> {
    clearTimeout(this.#idle)
    const known = this.#stream
    try {
      await this.#write(frame)
    } catch (error) {
      this.#abort(error)
      // The remote may have ended a stream that was idle for too long in its eyes: a new one will do.
      if (known === undefined || this.#closed) throw error
      await this.#write(frame)
    }
    this.#idle = setTimeout(() => this.#drop(), idleLimit)
    keepNothingAlive(this.#idle)
  }

  async #write(frame: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error('the exchange with the peer has ended')
    if (this.#stream?.status !== 'open' || this.#stream.writeStatus !== 'writable') this.#stream = await this.#open()
    if (!this.#stream.send(frame)) await this.#stream.onDrain({ signal: AbortSignal.timeout(sendLimit) })
  }

  async #open(): Promise<Stream> {
    const connection = this.#libp2p
      .getConnections(this.#peer)
      .find(({ status, limits }) => status === 'open' && limits === undefined)
    if (connection === undefined) throw new Error('the peer is not connected')
    return await connection.newStream(protocol, { signal: AbortSignal.timeout(openLimit) })
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
