import type { TLSSocket } from 'node:tls'
import { formatAddress, type Address } from '../../tools/address.ts'
import { TokenBucket } from '../../tools/token-bucket.ts'

/** With this many points a peer loses its place. */
const patience = 100
/** The most frames per second, not counting messages and chunks. More is an attack on the processor. */
const controlRate = 5_000
const controlBurst = 20_000
/** The link ends when this many bytes wait to be read by the other side. */
const maxUnsent = 32 * 1024 * 1024
/** Milliseconds in which the other closes, too. */
const closingTimeout = 2_000

export interface LinkInit {
  readonly socket: TLSSocket
  /** The other side's peer id, 40 hexadecimal digits. It is a hash of the key. */
  readonly id: string
  /** The other side's key. It has proved that it owns the key. */
  readonly publicKey: Uint8Array
  /** The address that the other side listens on, if any. */
  readonly address: Address | undefined
  readonly outgoing: boolean
  /** The peer did things that no correct peer does, and must not come back soon. */
  readonly misbehaved: (id: string) => void
}

/** A connection to another peer, ready for frames. */
export class Link {
  readonly id: string
  readonly publicKey: Uint8Array
  readonly address: Address | undefined
  readonly outgoing: boolean
  readonly openedAt: number = performance.now()
  /** When the link last brought something new that was wanted: a message, or a part of a block. */
  usefulAt: number = this.openedAt
  /** The number of looks at the clock since the other side was last heard, and the time of that. */
  quiet = 0
  heardAt: number = this.openedAt
  /** The number of pending verdicts about frames of the other side. */
  undecided = 0
  /** Called when a verdict has come. */
  decided: () => void = () => {}
  readonly #socket: TLSSocket
  readonly #misbehaved: (id: string) => void
  readonly #control = new TokenBucket(controlRate, controlBurst)
  #strikes = 0
  #failed = false
  #sent = false
  #drained: Promise<void> | undefined

  constructor({ socket, id, publicKey, address, outgoing, misbehaved }: LinkInit) {
    this.#socket = socket
    this.id = id
    this.publicKey = publicKey
    this.address = address
    this.outgoing = outgoing
    this.#misbehaved = misbehaved
  }

  /** Whether the link was cut. No further frame of it is handled. */
  get failed(): boolean {
    return this.#failed
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  /** Bytes that the other side has not read yet. */
  get buffered(): number {
    return this.#socket.writableLength
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten
  }

  heard(): void {
    this.quiet = 0
    this.heardAt = performance.now()
  }

  /** Whether anything was sent since the last call. */
  get spoke(): boolean {
    const sent = this.#sent
    this.#sent = false
    return sent
  }

  send(kind: number, ...parts: readonly Uint8Array[]): void {
    if (!this.open) return
    if (this.buffered > maxUnsent) return this.fail()
    this.#sent = true
    const head = new Uint8Array(5)
    const length = parts.reduce((sum, part) => sum + part.byteLength, 1)
    new DataView(head.buffer).setUint32(0, length)
    head[4] = kind
    // Frames sent in one turn of the event loop leave together.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      queueMicrotask(() => this.#socket.uncork())
    }
    this.#socket.write(head)
    for (const part of parts) if (part.byteLength > 0) this.#socket.write(part)
  }

  /** Resolves when the other side has read everything that was sent, or is gone. */
  drained(): Promise<void> {
    const socket = this.#socket
    if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve()
    this.#drained ??= new Promise<void>((resolve) => {
      const end = (): void => {
        socket.off('drain', end)
        socket.off('close', end)
        this.#drained = undefined
        resolve()
      }
      socket.on('drain', end)
      socket.on('close', end)
    })
    return this.#drained
  }

  /** Every frame except messages and chunks has a cost. A peer that sends far more than it needs is cut off. */
  spend(amount = 1): boolean {
    if (this.#control.take(amount)) return true
    this.strike(patience)
    return false
  }

  /** The peer did something that no correct peer does. */
  strike(points: number): void {
    this.#strikes += points
    if (this.#strikes < patience || this.#failed) return
    this.#misbehaved(this.id)
    this.fail()
  }

  /** A verdict is pending. A peer with many pending verdicts is not read until some have come. */
  wait(verdict: Promise<unknown>): void {
    this.undecided++
    const decided = (): void => {
      this.undecided--
      this.decided()
    }
    void verdict.then(decided, decided)
  }

  /** Sends what is queued, then closes once the other side has closed too. Its data until then still arrives. */
  close(): void {
    const socket = this.#socket
    socket.end()
    // A dead link never closes by itself.
    const timer = setTimeout(() => socket.destroy(), closingTimeout).unref()
    socket.once('close', () => clearTimeout(timer))
  }

  fail(): void {
    this.#failed = true
    this.#socket.destroy()
  }

  toString(): string {
    return this.address === undefined ? this.id : formatAddress(this.address)
  }
}
