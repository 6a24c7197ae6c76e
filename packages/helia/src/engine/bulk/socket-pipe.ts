import type { LaneSocket } from './lane.ts'
import { type Pipe, type PipeEvents, sendTimeout } from './pipe.ts'

/** A pipe on its own socket. */
export class SocketPipe implements Pipe {
  readonly #socket: LaneSocket

  constructor(socket: LaneSocket, { data, end }: PipeEvents) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.unref()
    socket.once('close', end)
    socket.on('data', data)
  }

  get open(): boolean {
    return this.#socket.writable && !this.#socket.destroyed
  }

  send(parts: readonly Uint8Array[]): boolean {
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
    return !this.#socket.writableNeedDrain
  }

  async drained(): Promise<void> {
    const socket = this.#socket
    if (!socket.writableNeedDrain) return
    let done: (() => void) | undefined
    const timer = setTimeout(() => socket.destroy(new Error('the peer does not read what it is sent')), sendTimeout)
    try {
      await new Promise<void>((resolve) => {
        done = resolve
        socket.once('drain', resolve)
        socket.once('close', resolve)
      })
    } finally {
      clearTimeout(timer)
      if (done !== undefined) for (const event of ['drain', 'close'] as const) socket.off(event, done)
    }
    if (!this.open) throw new Error('the lane is closed')
  }

  close(): void {
    this.#socket.end()
  }

  abort(error: Error): void {
    this.#socket.destroy(error)
  }
}
