/** Something that has work in small pieces. */
export interface Worker {
  /** Does the next piece. Whether another one is ready. */
  work(): boolean
}

/** Work goes on for this many milliseconds, then timers and sockets have their turn. */
const slice = 8
/** Pieces of one worker before the next one has its turn. */
const piecesInARow = 8

/**
 * Shares the event loop among links: each that has frames gets its turn, whatever the others send, and after a slice of time
 * everything else of the process gets its own. A link that brings more than its share waits, and so does its sender.
 */
export class Turns {
  readonly #waiting = new Set<Worker>()
  #spent = 0
  #scheduled = false

  add(worker: Worker): void {
    this.#waiting.add(worker)
    // Without a crowd there is nothing to wait for.
    if (this.#spent < slice) this.#run()
  }

  remove(worker: Worker): void {
    this.#waiting.delete(worker)
  }

  #running = false

  #run(): void {
    // Work may add work.
    if (this.#running) return
    this.#running = true
    const start = performance.now() - this.#spent
    try {
      for (const worker of this.#waiting) {
        this.#waiting.delete(worker)
        let more = true
        for (let i = 0; more && i < piecesInARow; i++) {
          more = worker.work()
          this.#spent = performance.now() - start
          if (this.#spent >= slice) break
        }
        // Behind the others.
        if (more) this.#waiting.add(worker)
        if (this.#spent >= slice) break
      }
    } finally {
      this.#running = false
      this.#schedule()
    }
  }

  /** What was spent counts until the loop has come around. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#spent = 0
      if (this.#waiting.size > 0) this.#run()
    })
  }
}
