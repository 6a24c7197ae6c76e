import type { TLSSocket } from 'node:tls'
import type { FrameReader } from '../wire/frame-reader.ts'
import type { Frames } from './frames.ts'
import type { Link } from './link.ts'
import type { Scheduler, Task } from './scheduler.ts'

/** With this many bytes waiting, and a whole frame among them, the other must wait. */
const pauseAt = 256 * 1024
const resumeAt = 64 * 1024
/** Verdicts that may be open for one peer: more are not asked for. */
const maxUndecided = 64

export interface LinkReaderInit {
  readonly link: Link
  readonly socket: TLSSocket
  /** May hold frames that came with the first one. */
  readonly reader: FrameReader
  readonly frames: Frames
  readonly scheduler: Scheduler
  /** The link is gone, and everything it brought was handled. */
  readonly closed: () => void
}

/** Reads the frames of one link, in turns with the others. */
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
    // A link that waits its turn is not silent: nobody listens.
    if (this.#paused) link.heard()
    // Nor is one whose frames are here and wait for theirs.
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
