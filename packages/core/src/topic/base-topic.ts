import type { CallOptions } from '../api/common.ts'
import type {
  DropReason,
  Message,
  PublishOptions,
  PublishReceipt,
  SubscribeOptions,
  Subscription,
  Topic,
  TopicItem,
  TopicStats
} from '../api/topic.ts'
import { type CountdownOptions, deadlineOf, withDeadline } from '../deadline.ts'
import { abortError, invalidArgument, type P2plError, throwIfAborted, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import type { PeerInfo } from '../port/common.ts'
import type { TransportSubscription } from '../port/messages.ts'
import type { TopicContext } from './context.ts'
import { SubscriptionQueue } from './subscription.ts'

const dropReasons: readonly DropReason[] = ['garbage', 'oversized', 'forged', 'duplicate', 'replayed', 'overloaded']
/** Distance of two looks at `peers` while somebody waits for `ready`, in milliseconds: from, to. */
const readyPoll = [10, 200] as const

/** What signed and raw topics share: joining, subscriptions, readiness, counters. */
export abstract class BaseTopic implements Topic {
  abstract readonly mode: 'signed' | 'raw'
  readonly name: string
  protected readonly context: TopicContext
  protected stopped = false
  readonly #subscriptions = new Set<SubscriptionQueue>()
  readonly #life = new AbortController()
  /** Joining and leaving, one after the other. */
  #transition: Promise<unknown> = Promise.resolve()
  #joined: TransportSubscription | undefined
  readonly #counters = { published: 0, envelopes: 0, delivered: 0, gaps: 0 }
  readonly #dropped = Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>

  constructor(name: string, context: TopicContext) {
    this.name = name
    this.context = context
  }

  protected abstract publishPayload(payload: Uint8Array, options: PublishOptions | undefined): Promise<PublishReceipt>
  protected abstract join(signal: AbortSignal): Promise<TransportSubscription>

  async publish(payload: Uint8Array, options?: PublishOptions): Promise<PublishReceipt> {
    this.context.assertRunning('publish')
    throwIfAborted('publish', options?.signal)
    deadlineOf(options, this.context.deadlines.publish, 'publish')
    if (!(payload instanceof Uint8Array)) throw invalidArgument('publish', 'a payload is a Uint8Array')
    return await this.publishPayload(payload, options)
  }

  subscribe(options: SubscribeOptions = {}): Subscription {
    this.context.assertRunning('subscribe')
    throwIfAborted('subscribe', options.signal)
    checkQueueOptions(options)
    const { signal } = options
    const onAbort = (): void => {
      queue.close().catch(() => undefined)
    }
    const queue: SubscriptionQueue = new SubscriptionQueue(this.name, options, this.#enter(options), async () => {
      signal?.removeEventListener('abort', onAbort)
      this.#subscriptions.delete(queue)
      await this.#leave()
    })
    this.#subscriptions.add(queue)
    queue.joined.catch(() => this.#subscriptions.delete(queue))
    signal?.addEventListener('abort', onAbort, { once: true })
    return queue
  }

  #enter(options: SubscribeOptions): Promise<void> {
    const { clock, deadlines, backendName } = this.context
    return this.#serially(async () => {
      if (this.#joined !== undefined) return
      this.context.assertRunning('subscribe')
      const { deadline } = options
      this.#joined = await withDeadline(
        clock,
        { deadline, scope: this.#life.signal },
        deadlines.subscribe,
        'subscribe',
        async (signal) => {
          const joined = await typed('subscribe', backendName, () => this.join(signal))
          // Nobody waits for it any more, and the next join would have every message come twice.
          if (signal.aborted) await joined.close()
          return joined
        }
      )
    })
  }

  #leave(): Promise<void> {
    const { clock, deadlines, backendName } = this.context
    return this.#serially(async () => {
      if (this.#subscriptions.size > 0) return
      const joined = this.#joined
      this.#joined = undefined
      if (joined === undefined) return
      // Later subscriptions wait for this, and so does the end of the peer.
      await withDeadline(clock, {}, deadlines.subscribe, 'unsubscribe', async () => {
        await typed('unsubscribe', backendName, () => joined.close())
      })
    })
  }

  #serially(step: () => Promise<void>): Promise<void> {
    const done = this.#transition.then(step)
    this.#transition = done.catch(() => undefined)
    return done
  }

  async ready(options: CallOptions & { peers?: number | undefined } = {}): Promise<void> {
    const { clock, deadlines, transport, backendName } = this.context
    const wanted = options.peers ?? 1
    if (!Number.isSafeInteger(wanted) || wanted < 0) throw invalidArgument('ready', 'peers must be a number from 0')
    this.#assertPeers('ready')
    await withDeadline(clock, this.#scoped(options), deadlines.subscribe, 'ready', async (signal) => {
      for (let pause: number = readyPoll[0]; ; pause = Math.min(readyPoll[1], pause * 2)) {
        const peers = await typed('ready', backendName, () => transport.peers(this.name, { signal }))
        if (peers.length >= wanted) return
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, pause))
        if (signal.aborted) throw abortError('ready', signal)
      }
    })
  }

  async peers(options?: CallOptions): Promise<readonly PeerInfo[]> {
    const { clock, deadlines, transport, backendName } = this.context
    this.#assertPeers('peers')
    return await withDeadline(clock, this.#scoped(options), deadlines.subscribe, 'peers', async (signal) => {
      return await typed('peers', backendName, () => transport.peers(this.name, { signal }))
    })
  }

  #scoped(options: CallOptions | undefined): CountdownOptions {
    return { signal: options?.signal, deadline: options?.deadline, scope: this.#life.signal }
  }

  #assertPeers(operation: string): void {
    this.context.assertRunning(operation)
    if (this.context.capabilities.peers === 'none') throw unsupported(this.context.backendName, `topic.${operation}`)
  }

  stats(): TopicStats {
    return { ...this.#counters, dropped: { ...this.#dropped } }
  }

  protected get hasEcho(): boolean {
    for (const subscription of this.#subscriptions) if (subscription.echo) return true
    return false
  }

  protected deliver(item: TopicItem): void {
    this.#counters[item.type === 'gap' ? 'gaps' : 'delivered']++
    for (const subscription of this.#subscriptions) subscription.push(item)
  }

  protected deliverOwn(message: Message): void {
    for (const subscription of this.#subscriptions) if (subscription.echo) subscription.push(message)
  }

  protected drop(reason: DropReason): void {
    this.#dropped[reason]++
  }

  protected count(counter: 'published' | 'envelopes', by: number): void {
    this.#counters[counter] += by
  }

  protected warn(message: string): void {
    this.context.onEvent({ type: 'warning', backend: this.context.backendName, message })
  }

  /** Ends every subscription; `reason` is what calls under way reject with. */
  async stop(reason: P2plError): Promise<void> {
    this.stopped = true
    this.#life.abort(reason)
    await Promise.allSettled(
      [...this.#subscriptions].map(async (subscription) => {
        await subscription.close()
      })
    )
  }
}

function checkQueueOptions(options: SubscribeOptions): void {
  for (const key of ['maxQueuedMessages', 'maxQueuedBytes'] as const) {
    const value = options[key]
    if (value !== undefined && !(value >= 1)) throw invalidArgument('subscribe', `${key} must be a number from 1`)
  }
  const { overflow } = options
  if (overflow !== undefined && overflow !== 'oldest' && overflow !== 'newest') {
    throw invalidArgument('subscribe', `overflow must be "oldest" or "newest", not ${String(overflow)}`)
  }
}
