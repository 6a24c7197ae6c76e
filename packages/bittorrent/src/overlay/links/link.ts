import type { TLSSocket } from 'node:tls'
import { formatAddress, type Address } from '../../tools/address.ts'
import { TokenBucket } from '../../tools/token-bucket.ts'

/** Points at which a peer loses its place. */
const patience = 100
/** Frames other than messages and chunks, a second: more is an attack on the processor. */
const controlRate = 5_000
const controlBurst = 20_000
/** Answers that nobody reads: the link ends when this much waits. */
const maxUnsent = 32 * 1024 * 1024

export interface LinkInit {
  readonly socket: TLSSocket
  /** The other's peer id, 40 hexadecimal digits. It is a hash of the key. */
  readonly id: string
  /** The other's key, which it has proven to own. */
  readonly publicKey: Uint8Array
  /** Where the other listens, if it does. */
  readonly address: Address | undefined
  readonly outgoing: boolean
  /** The peer did things that no correct peer does, and shall not come back soon. */
  readonly misbehaved: (id: string) => void
}

/** A connection to another peer, ready for frames. */
export class Link {
  readonly id: string
  readonly publicKey: Uint8Array
  readonly address: Address | undefined
  readonly outgoing: boolean
  readonly openedAt: number = performance.now()
  /** When it last brought something that was wanted and new: a message, a part of a block. */
  usefulAt: number = this.openedAt
  /** Looks at the clock since the other was last heard, and when that was. */
  quiet = 0
  heardAt: number = this.openedAt
  /** Verdicts that are still to come about what the other sent. */
  undecided = 0
  /** Called when one of them has come. */
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

  /** It was cut off: no frame of it is looked at any more. */
  get failed(): boolean {
    return this.#failed
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  /** Bytes that wait for the other to read. */
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

  /** Whether something was sent since this was last asked. */
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
    // Frames that are sent in one turn of the event loop leave together.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      queueMicrotask(() => this.#socket.uncork())
    }
    this.#socket.write(head)
    for (const part of parts) if (part.byteLength > 0) this.#socket.write(part)
  }

  /** Resolves when the other has read what was sent to it, or is gone. */
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

  /** Every frame but messages and chunks has a cost; a peer that sends more than anybody needs is cut off. */
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

  /** A verdict is on its way. A peer that has many of them open is not read until some have come. */
  wait(verdict: Promise<unknown>): void {
    this.undecided++
    const decided = (): void => {
      this.undecided--
      this.decided()
    }
    void verdict.then(decided, decided)
  }

  /** Sends what is under way, then ends. */
  close(): void {
    this.#socket.destroySoon()
  }

  fail(): void {
    this.#failed = true
    this.#socket.destroy()
  }

  toString(): string {
    return this.address === undefined ? this.id : formatAddress(this.address)
  }
}
