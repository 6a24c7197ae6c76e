import type Wire from 'bittorrent-protocol'
import { formatAddress, type Address } from '../address.ts'
import { Budget } from './budget.ts'
import type { GuardedWire } from './wire.ts'

/** Name of the extension (BEP 10). */
export const extensionName = 'p2pl'

/** Longest frame: a message of 1 MiB and what names it. */
export const frameLimit: number = 1_048_576 + 1_024

/** Points at which a participant is not listened to any more. */
const patience = 100
/** Frames other than messages and chunks, a second: more is an attack on the processor. */
const controlRate = 5_000
const controlBurst = 20_000
/** Answers that nobody reads: the connection ends when this much waits. */
const maxUnsent = 32 * 1024 * 1024
const maxTopics = 1_024

/** A connection to another participant, ready for frames. */
export class Link {
  /** The other's peer id, 40 hexadecimal digits. It is claimed, not proven. */
  readonly id: string
  /** Where the other listens. */
  readonly address: Address | undefined
  readonly outgoing: boolean
  /** Topic keys, as texts, that the other is subscribed to. */
  readonly topics: Set<string> = new Set()
  readonly #guarded: GuardedWire
  readonly #control: Budget = new Budget(controlRate, controlBurst)
  readonly #extension: number
  #strikes = 0
  #drained: Promise<void> | undefined

  constructor(guarded: GuardedWire, id: string, address: Address | undefined, outgoing: boolean) {
    this.#guarded = guarded
    this.id = id
    this.address = address
    this.outgoing = outgoing
    this.#extension = guarded.wire.peerExtendedMapping[extensionName] ?? 0
  }

  get wire(): Wire {
    return this.#guarded.wire
  }

  get open(): boolean {
    return !this.#guarded.socket.destroyed && this.#guarded.socket.writable
  }

  /** Bytes that wait for the other to read. */
  get buffered(): number {
    return this.#guarded.socket.writableLength
  }

  get bytesWritten(): number {
    return this.#guarded.socket.bytesWritten
  }

  get text(): string {
    return this.address === undefined ? this.id : formatAddress(this.address)
  }

  send(kind: number, ...parts: readonly Uint8Array[]): void {
    if (!this.open) return
    if (this.buffered > maxUnsent) return this.#guarded.fail()
    const length = parts.reduce((sum, part) => sum + part.byteLength, 3)
    const head = new Uint8Array(7)
    new DataView(head.buffer).setUint32(0, length)
    // 20: an extended message.
    head[4] = 20
    head[5] = this.#extension
    head[6] = kind
    this.#guarded.write(head, ...parts)
  }

  /** Resolves when the other has read what was sent to it, or is gone. */
  drained(): Promise<void> {
    const { socket } = this.#guarded
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

  /** Every frame but messages and chunks costs; who sends more than anybody needs is cut off. */
  spend(amount = 1): boolean {
    if (this.#control.take(amount)) return true
    this.#guarded.fail()
    return false
  }

  /** It did something that no correct participant does. */
  strike(points: number): void {
    this.#strikes += points
    if (this.#strikes >= patience) this.#guarded.fail()
  }

  joined(topic: string): boolean {
    if (this.topics.size >= maxTopics || this.topics.has(topic)) return false
    this.topics.add(topic)
    return true
  }

  /** Sends what is under way, then ends. */
  close(): void {
    this.#guarded.socket.destroySoon()
  }

  fail(): void {
    this.#guarded.fail()
  }
}
