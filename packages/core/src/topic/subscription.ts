import type { Gap, SubscribeOptions, Subscription, TopicItem } from '../api/topic.ts'
import { type Clock, holdProcess } from '../clock.ts'
import type { SubscriptionState } from '../port/messages.ts'
import { Listeners } from '../toolbox/listeners.ts'
import { untilAborted } from '../toolbox/until-aborted.ts'
import { ItemQueue, type QueuedMessage } from './item-queue.ts'

export interface SubscriptionInit<M extends QueuedMessage, Out> {
  readonly topic: string
  readonly clock: Clock
  readonly options: SubscribeOptions
  readonly maxPayloadBytes: number
  readonly joined: Promise<void>
  /** Returns the app's form of a message, or the gap that stands for it. */
  readonly present: (message: M) => TopicItem<Out>
  readonly onClose: () => Promise<void>
}

interface Reader<Out> {
  readonly resolve: (result: IteratorResult<TopicItem<Out>>) => void
  readonly reject: (error: unknown) => void
  readonly release: () => void
}

type State = Subscription['state']

/** One reader of a topic. */
export class TopicSubscription<M extends QueuedMessage, Out> implements Subscription<Out> {
  readonly joined: Promise<void>
  readonly echo: boolean
  readonly maxPayloadBytes: number
  readonly #init: SubscriptionInit<M, Out>
  readonly #queue: ItemQueue<M>
  readonly #readers: Reader<Out>[] = []
  readonly #listeners = new Listeners<State>()
  readonly #life = new AbortController()
  #state: State = 'joining'
  #closed: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(init: SubscriptionInit<M, Out>) {
    this.#init = init
    const { options, joined } = init
    this.#queue = new ItemQueue(init.topic, init.clock, options)
    this.echo = options.echo ?? false
    this.maxPayloadBytes = init.maxPayloadBytes
    // A subscription that is closed while it joins is no longer interested in the outcome.
    this.joined = untilAborted(joined, this.#life.signal).catch((error: unknown) => {
      if (!this.#life.signal.aborted) throw error
    })
    joined.then(
      () => {
        if (this.#state === 'joining') this.setState('live')
      },
      (error: unknown) => {
        this.#fail(error)
      }
    )
    this.joined.catch(() => undefined)
  }

  get state(): State {
    return this.#state
  }

  onState(listener: (state: State) => void): () => void {
    return this.#listeners.add('onState', listener)
  }

  setState(state: SubscriptionState | 'ended'): void {
    if (this.#state === state || this.#state === 'ended') return
    this.#state = state
    this.#listeners.emit(state)
  }

  push(item: M | Gap): void {
    if (this.#closed !== undefined || this.#failure !== undefined) return
    const reader = this.#readers.shift()
    if (reader === undefined) this.#queue.push(item)
    else {
      reader.release()
      try {
        reader.resolve({ value: this.#present(item), done: false })
      } catch (error) {
        reader.reject(error)
      }
    }
  }

  #present(item: M | Gap): TopicItem<Out> {
    return item.type === 'gap' ? item : this.#init.present(item)
  }

  async next(): Promise<IteratorResult<TopicItem<Out>>> {
    const item = this.#queue.take()
    if (item !== undefined) return { value: this.#present(item), done: false }
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      throw error
    }
    if (this.#closed !== undefined) return { value: undefined, done: true }
    return await new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject, release: holdProcess(this.#init.clock) })
    })
  }

  async return(): Promise<IteratorResult<TopicItem<Out>>> {
    await this.close()
    this.#queue.clear()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.setState('ended')
    this.#life.abort()
    for (const { resolve, release } of this.#readers.splice(0)) {
      release()
      resolve({ value: undefined, done: true })
    }
    await this.#init.onClose()
  }

  #fail(error: unknown): void {
    if (this.#closed !== undefined) return
    this.#failure = { error }
    this.setState('ended')
    for (const { reject, release } of this.#readers.splice(0)) {
      release()
      reject(error)
    }
  }
}
