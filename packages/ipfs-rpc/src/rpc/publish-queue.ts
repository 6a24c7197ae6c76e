import { orAborted } from '../abort.ts'
import { failure } from '../errors.ts'

/**
 * Smallest distance of two publishes through one daemon, in milliseconds. Receiving daemons check sequence numbers of
 * a sender over all its topics, and their validators overtake each other: what comes closer is dropped silently.
 */
export const pacing = 10

const maxWaiting = 4096
const queues = new Map<string, PublishQueue>()

/**
 * One publish at a time and daemon, over all backends of this process: a daemon refuses concurrent ones
 * (`validation ignored`), because sequence numbers overtake each other.
 */
export class PublishQueue {
  readonly #key: string
  #users = 0
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0
  #last = -Infinity

  private constructor(key: string) {
    this.#key = key
  }

  /** The queue of the daemon; `release` it when the backend stops. */
  static of(key: string): PublishQueue {
    const queue = queues.get(key) ?? new PublishQueue(key)
    queues.set(key, queue)
    queue.#users++
    return queue
  }

  release(): void {
    if (--this.#users === 0) queues.delete(this.#key)
  }

  async run<T>(operation: string, signal: AbortSignal, publish: () => Promise<T>): Promise<T> {
    if (this.#waiting >= maxWaiting)
      throw failure('OVERLOADED', operation, `${maxWaiting} messages wait to be published; publish more slowly`)
    this.#waiting++
    const previous = this.#tail
    let leave: () => void = () => {}
    this.#tail = new Promise((resolve) => {
      leave = resolve
    })
    try {
      await orAborted(operation, previous, signal)
      const pause = this.#last + pacing - performance.now()
      if (pause > 0) await orAborted(operation, new Promise<void>((resolve) => setTimeout(resolve, pause)), signal)
      this.#last = performance.now()
      return await publish()
    } finally {
      this.#waiting--
      // One that gave up while it waited must not let its successor in before its predecessor is done.
      void previous.then(leave)
    }
  }
}
