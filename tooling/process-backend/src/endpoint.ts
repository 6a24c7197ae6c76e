import { decode, encode, type Callable, type References } from './codec.ts'

/** One end of a channel between two processes. */
export interface Channel {
  send(message: unknown): void
}

type Message =
  | readonly ['call', id: number, fn: number, args: unknown]
  | readonly ['done', id: number, value: unknown]
  | readonly ['failed', id: number, error: unknown]
  | readonly ['abort', signal: number, reason: unknown]

/** Calls functions of the other process, and lets it call ours. Everything arrives in the order of sending. */
export class Endpoint {
  readonly #channel: Channel
  readonly #exported = new Map<number, Callable>()
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #signals = new Map<number, AbortController>()
  #ids = 0

  /** `root` is function 0 of this end. */
  constructor(channel: Channel, root?: Callable) {
    this.#channel = channel
    if (root !== undefined) this.#exported.set(0, root)
  }

  /** Calls function 0 of the other end. */
  async root(...args: readonly unknown[]): Promise<unknown> {
    return await this.#call(0, args)
  }

  receive(message: unknown): void {
    const received = message as Message
    switch (received[0]) {
      case 'call':
        return void this.#answer(received[1], received[2], received[3])
      case 'done':
        this.#waiting.get(received[1])?.resolve(decode(received[2], this.#references()))
        return void this.#waiting.delete(received[1])
      case 'failed':
        this.#waiting.get(received[1])?.reject(decode(received[2], this.#references()))
        return void this.#waiting.delete(received[1])
      case 'abort':
        this.#signals.get(received[1])?.abort(decode(received[2], this.#references()))
        return void this.#signals.delete(received[1])
    }
  }

  /** No more answers will come. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  async #call(fn: number, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#ids
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#send(['call', id, fn, encode(args, this.#references())])
    return await waiting.promise
  }

  async #answer(id: number, fn: number, args: unknown): Promise<void> {
    const references = this.#references()
    try {
      const found = this.#exported.get(fn)
      if (found === undefined) throw new Error(`there is no function ${fn} here`)
      // There is no `await` before the call, so calls start in the order of their arrival.
      const value = await found(...(decode(args, references) as readonly unknown[]))
      this.#send(['done', id, encode(value, references)])
    } catch (error) {
      this.#send(['failed', id, encode(error, references)])
    }
  }

  #send(message: Message): void {
    this.#channel.send(message)
  }

  #references(): References {
    return {
      exportFunction: (fn) => {
        const id = ++this.#ids
        this.#exported.set(id, fn)
        return id
      },
      importFunction:
        (id) =>
        (...args) =>
          this.#call(id, args),
      exportSignal: (signal) => {
        const id = ++this.#ids
        const fired = (): void => this.#send(['abort', id, encode(signal.reason, this.#references())])
        // After the call that carries the signal.
        if (signal.aborted) queueMicrotask(fired)
        else signal.addEventListener('abort', fired, { once: true })
        return id
      },
      importSignal: (id) => {
        const controller = new AbortController()
        this.#signals.set(id, controller)
        return controller.signal
      }
    }
  }
}
