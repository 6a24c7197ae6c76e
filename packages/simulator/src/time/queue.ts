/** An event at a point in virtual time. */
export interface Scheduled {
  /** Milliseconds of virtual time. */
  at: number
  /** Orders events of the same time: first in, first out. */
  order: number
  cancelled: boolean
  /** Returns whether it called code outside of the simulator. The promises of that code have to settle before time moves on. */
  run(): boolean
}

/** A binary heap by time and order. Cancelled events stay until they come up, or until half of the heap is dead. */
export class EventQueue {
  #heap: Scheduled[] = []
  #orders = 0
  #cancelled = 0

  /** Used places, including those of cancelled events. */
  get length(): number {
    return this.#heap.length
  }

  /** The order of the event that is pushed next. */
  get nextOrder(): number {
    return this.#orders
  }

  /** Events that will happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  push(event: Scheduled): void {
    event.order = this.#orders++
    this.#heap.push(event)
    this.#up(this.#heap.length - 1)
  }

  cancel(event: Scheduled): void {
    if (event.cancelled) return
    event.cancelled = true
    this.#cancelled++
    if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#heap.length) this.#compact()
  }

  /** Time of the next event, `Infinity` when there is none. */
  nextAt(): number {
    while (this.#heap[0]?.cancelled === true) {
      this.#cancelled--
      this.#take()
    }
    return this.#heap[0]?.at ?? Infinity
  }

  /** Whether there is an event at this time with an order below the limit. */
  has(at: number, limit: number): boolean {
    return this.nextAt() === at && (this.#heap[0] as Scheduled).order < limit
  }

  /** Call it after {@link nextAt} has returned a time. */
  pop(): Scheduled {
    const event = this.#take()
    // An event that has begun can no longer be cancelled.
    event.cancelled = true
    return event
  }

  clear(): void {
    this.#heap = []
    this.#cancelled = 0
  }

  #take(): Scheduled {
    const heap = this.#heap
    const first = heap[0] as Scheduled
    const last = heap.pop() as Scheduled
    if (heap.length > 0) {
      heap[0] = last
      this.#down(0)
    }
    return first
  }

  #compact(): void {
    this.#heap = this.#heap.filter((event) => !event.cancelled)
    this.#cancelled = 0
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i)
  }

  #up(start: number): void {
    const heap = this.#heap
    const event = heap[start] as Scheduled
    let i = start
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent] as Scheduled
      if (!before(event, above)) break
      heap[i] = above
      i = parent
    }
    heap[i] = event
  }

  #down(start: number): void {
    const heap = this.#heap
    const event = heap[start] as Scheduled
    const half = heap.length >> 1
    let i = start
    while (i < half) {
      let child = 2 * i + 1
      let below = heap[child] as Scheduled
      const right = heap[child + 1]
      if (right !== undefined && before(right, below)) {
        child++
        below = right
      }
      if (!before(below, event)) break
      heap[i] = below
      i = child
    }
    heap[i] = event
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
