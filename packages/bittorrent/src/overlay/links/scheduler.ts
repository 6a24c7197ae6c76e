/** Something that has work in small pieces. */
export interface Task {
  /** Does the next piece. Whether another one is ready. */
  work(): boolean
}

/** Work goes on for this many milliseconds, then timers and sockets have their turn. */
const slice = 8
/** Pieces of one task before the next one has its turn. */
const piecesInARow = 8

/**
 * Shares the event loop among links: each that has frames gets its turn, whatever the others send, and after a slice of time
 * everything else of the process gets its own. A link that brings more than its share waits, and so does its sender.
 */
export class Scheduler {
  readonly #waiting = new Set<Task>()
  #spent = 0
  #scheduled = false
  #running = false

  add(task: Task): void {
    this.#waiting.add(task)
    // Without a crowd there is nothing to wait for.
    if (this.#spent < slice) this.#run()
  }

  remove(task: Task): void {
    this.#waiting.delete(task)
  }

  #run(): void {
    // Work may add work.
    if (this.#running) return
    this.#running = true
    const start = performance.now() - this.#spent
    try {
      for (const task of this.#waiting) {
        this.#waiting.delete(task)
        let more = true
        for (let i = 0; more && i < piecesInARow; i++) {
          more = task.work()
          this.#spent = performance.now() - start
          if (this.#spent >= slice) break
        }
        // Behind the others.
        if (more) this.#waiting.add(task)
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
