import { createSocket, type RemoteInfo } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { TokenBucket } from '../../tools/token-bucket.ts'
import type { ProfileGate } from '@p2pl/embedded'

const maxPacket = 4_096
const packetRate = 2_000
const packetBurst = 8_000

type Sent = (error: Error | null) => void

/**
 * The UDP socket under the DHT. The library's packet handler throws on queries and answers whose fields have unexpected
 * types, and the library sends to every node that a stranger names. This socket catches the errors and asks the gate
 * before it sends.
 */
export class UdpSocket extends EventEmitter {
  readonly #gate: ProfileGate
  readonly #socket = createSocket('udp4')
  readonly #budget = new TokenBucket(packetRate, packetBurst)
  #closed = false
  /** The number of packets that were not answered because the library failed on them. */
  malformed = 0

  constructor(gate: ProfileGate) {
    super()
    this.#gate = gate
    this.#socket.on('listening', () => this.emit('listening'))
    this.#socket.on('close', () => this.emit('close'))
    // Without a listener the error would be thrown.
    this.#socket.on('error', (error) => {
      if (this.listenerCount('error') > 0) this.emit('error', error)
    })
    this.#socket.on('message', (packet, from) => this.#receive(packet, from))
  }

  bind(port: number, host: string): void {
    this.#socket.bind(port, host)
  }

  address(): { address: string; port: number } {
    return this.#socket.address()
  }

  send(packet: Uint8Array, offset: number, length: number, port: number, host: string, sent?: Sent): void {
    const refused = this.#closed || !Number.isInteger(port) || port < 1 || port > 65_535 || !this.#gate.allows(host)
    if (refused || length > maxPacket) queueMicrotask(() => sent?.(null))
    else this.#socket.send(packet, offset, length, port, host, (error) => sent?.(error))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    if (packet.byteLength > maxPacket || !this.#gate.allows(from.address) || !this.#budget.take(1)) return
    try {
      this.emit('message', packet, from)
    } catch {
      this.malformed++
    }
  }
}
