import { orAborted } from '../abort.ts'
import { failure } from '../errors.ts'

/**
 * Smallest distance of two publishes through one daemon, in milliseconds. Receiving daemons check sequence numbers of
 * a sender over all its topics, and their validators overtake each other: what comes closer is dropped silently.
 */
export const pacing = 10

/**
 * What that distance is for: after a larger publish it is kept once for each so many bytes, because validators take as
 * much longer over it. At 10 ms one in fifty envelopes of 256 KiB was lost between two busy daemons, at 40 ms none of 370.
 */
const pacedBytes = 64 * 1024

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
  #next = -Infinity

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

  /** `bytes`: what is to be published. */
  async run<T>(operation: string, bytes: number, signal: AbortSignal, publish: () => Promise<T>): Promise<T> {
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
      const pause = this.#next - performance.now()
      if (pause > 0) await orAborted(operation, new Promise<void>((resolve) => setTimeout(resolve, pause)), signal)
      this.#next = performance.now() + pacing * Math.max(1, bytes / pacedBytes)
      return await publish()
    } finally {
      this.#waiting--
      // One that gave up while it waited must not let its successor in before its predecessor is done.
      void previous.then(leave)
    }
  }
}
