import type { TLSSocket } from 'node:tls'
import type { FrameReader } from '../wire/frame-reader.ts'
import type { Frames } from './frames.ts'
import type { Link } from './link.ts'
import type { Scheduler, Task } from './scheduler.ts'

/** The other side must wait when this many bytes are unread and a whole frame is among them. */
const pauseAt = 256 * 1024
const resumeAt = 64 * 1024
/** The most open verdicts about frames of one peer. Beyond that, its frames wait. */
const maxUndecided = 64

export interface LinkReaderInit {
  readonly link: Link
  readonly socket: TLSSocket
  /** May contain frames that arrived with the first one. */
  readonly reader: FrameReader
  readonly frames: Frames
  readonly scheduler: Scheduler
  /** Called when the link is gone and everything that it brought was handled. */
  readonly closed: () => void
}

/** Reads the frames of one link, in turns with the other links. */
export class LinkReader implements Task {
  readonly #init: LinkReaderInit
  #paused = false
  #ended = false
  #finished = false

  constructor(init: LinkReaderInit) {
    this.#init = init
  }

  start(): void {
    const { link, socket, reader, scheduler } = this.#init
    link.decided = () => this.#continue()
    socket.on('data', (part: Buffer) => {
      link.heard()
      if (link.failed) return
      reader.push(part)
      this.#continue()
    })
    socket.once('end', () => socket.destroySoon())
    socket.once('close', () => {
      this.#ended = true
      if (this.#ready) scheduler.add(this)
      else this.#finish()
    })
    this.#continue()
  }

  work(): boolean {
    const { link, reader, frames } = this.#init
    try {
      const next = link.failed ? undefined : reader.take()
      if (next !== undefined) frames.handle(link, next.kind, next.body)
    } catch {
      link.strike(Infinity)
    }
    this.#flow()
    if (this.#ready) return true
    if (this.#ended) this.#finish()
    return false
  }

  get #ready(): boolean {
    const { link, reader } = this.#init
    return !this.#finished && !link.failed && reader.ready && link.undecided < maxUndecided
  }

  #continue(): void {
    if (this.#ready) this.#init.scheduler.add(this)
    this.#flow()
  }

  #flow(): void {
    const { socket, reader, link } = this.#init
    // A link that is paused is not silent: this side does not read it.
    if (this.#paused) link.heard()
    // Neither is a link whose received frames wait for their turn.
    else if (reader.ready) link.quiet = 0
    if (!this.#paused && reader.size >= pauseAt && reader.ready) {
      this.#paused = true
      socket.pause()
    } else if (this.#paused && (reader.size < resumeAt || !reader.ready)) {
      this.#paused = false
      socket.resume()
    }
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#init.scheduler.remove(this)
    this.#init.closed()
  }
}
