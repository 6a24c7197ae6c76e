/** Work that is done in small pieces. */
export interface Task {
  /** Does the next piece. Returns whether another one is ready. */
  work(): boolean
}

/** After this many milliseconds of work, timers and sockets get a turn. */
const slice = 8
/** How many pieces of one task are done before the next task gets a turn. */
const piecesInARow = 8

/**
 * Shares the event loop among links. Each link with frames gets its turn, whatever the others send, and after a slice
 * of time the rest of the process gets a turn. A link that brings more than its share waits, and so does its sender.
 */
export class Scheduler {
  readonly #waiting = new Set<Task>()
  #spent = 0
  #scheduled = false
  #running = false

  add(task: Task): void {
    this.#waiting.add(task)
    // While there is time left in this slice, there is no need to wait.
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
        // The task goes to the end of the queue.
        if (more) this.#waiting.add(task)
        if (this.#spent >= slice) break
      }
    } finally {
      this.#running = false
      this.#schedule()
    }
  }

  /** The time spent counts until the next turn of the event loop. */
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
