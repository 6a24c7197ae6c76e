import type { CallOptions } from '../api/common.ts'
import type {
  DropReason,
  Gap,
  PublishOptions,
  PublishReceipt,
  SubscribeOptions,
  TopicItem,
  TopicStats
} from '../api/topic.ts'
import { abortError, type P2plError, throwIfAborted, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import type { PeerInfo } from '../port/common.ts'
import type { Joined, SubscriptionState } from '../port/messages.ts'
import { backoff } from '../toolbox/backoff.ts'
import { type CountdownOptions, timeoutOf, withTimeout } from '../toolbox/countdown.ts'
import { checkFlag, checkKeys, checkNumber, checkWord } from '../toolbox/options.ts'
import { sleep } from '../toolbox/sleep.ts'
import type { TopicContext } from './context.ts'
import type { QueuedMessage } from './item-queue.ts'
import { TopicSubscription } from './subscription.ts'

const dropReasons: readonly DropReason[] = ['garbage', 'oversized', 'forged', 'duplicate', 'replayed', 'overloaded']
/** Pauses between two looks at `peers` while a caller waits for `ready`, in milliseconds. */
const readyPauses = { first: 10, longest: 200 } as const
const subscribeKeys: readonly (keyof SubscribeOptions)[] = [
  'signal',
  'timeout',
  'maxQueuedMessages',
  'maxQueuedBytes',
  'maxPayloadBytes',
  'overflow',
  'echo'
]

const noCounts = { published: 0, envelopes: 0, delivered: 0, gaps: 0 } as const

/** The counters of a topic that is not in use. */
export function noStats(): TopicStats {
  return { ...noCounts, dropped: noDrops() }
}

function noDrops(): Record<DropReason, number> {
  return Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>
}

/** What signed and raw topics share: joining, subscriptions, readiness, counters. `M` is a message with its bytes. */
export abstract class BaseTopic<M extends QueuedMessage> {
  abstract readonly mode: 'signed' | 'raw'
  readonly name: string
  protected readonly context: TopicContext
  protected stopped = false
  readonly #onIdle: () => void
  // oxlint-disable-next-line typescript/no-explicit-any -- each has the type of its own codec
  readonly #subscriptions = new Set<TopicSubscription<M, any>>()
  readonly #life = new AbortController()
  /** Joins and leaves run one after the other. */
  #transition: Promise<unknown> = Promise.resolve()
  #joined: Joined | undefined
  readonly #counters: Record<keyof typeof noCounts, number> = { ...noCounts }
  readonly #dropped = noDrops()

  /** @param onIdle - Called when the topic may have nothing left to do. */
  constructor(name: string, context: TopicContext, onIdle: () => void) {
    this.name = name
    this.context = context
    this.#onIdle = onIdle
  }

  abstract publish(payload: Uint8Array, options: PublishOptions | undefined): Promise<PublishReceipt>
  protected abstract join(signal: AbortSignal): Promise<Joined>
  /** Whether nothing is queued or scheduled. */
  protected abstract get quiet(): boolean

  /** Whether nobody uses it, so that it may be forgotten. */
  get idle(): boolean {
    return this.#subscriptions.size === 0 && this.#joined === undefined && this.quiet
  }

  protected checkIdle(): void {
    if (!this.stopped && this.idle) this.#onIdle()
  }

  subscribe<Out>(options: SubscribeOptions, present: (message: M) => TopicItem<Out>): TopicSubscription<M, Out> {
    const { limits, environment } = this.context
    this.context.assertRunning('subscribe')
    const { signal, maxPayloadBytes = limits.maxPayloadBytes } = options
    const subscription = new TopicSubscription<M, Out>({
      topic: this.name,
      clock: environment.clock,
      options,
      maxPayloadBytes: Math.min(maxPayloadBytes, limits.maxPayloadBytes),
      present,
      joined: this.#enter(options),
      onClose: async () => {
        signal?.removeEventListener('abort', onAbort)
        this.#subscriptions.delete(subscription)
        await this.#leave()
        this.checkIdle()
      }
    })
    const onAbort = (): void => {
      subscription.close().catch(() => undefined)
    }
    this.#subscriptions.add(subscription)
    subscription.joined.catch(() => {
      this.#subscriptions.delete(subscription)
      this.checkIdle()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    return subscription
  }

  #enter({ timeout }: SubscribeOptions): Promise<void> {
    const { environment, timeouts, backendName } = this.context
    return this.#serially(async () => {
      if (this.#joined !== undefined) return
      this.context.assertRunning('subscribe')
      this.#joined = await withTimeout(
        environment.clock,
        { timeout, scope: this.#life.signal },
        timeouts.subscribe,
        'subscribe',
        async (signal) => {
          const joined = await typed('subscribe', backendName, () => this.join(signal))
          // Nobody waits for it any longer. With a second join every message would come twice.
          if (signal.aborted) await joined.close()
          return joined
        }
      )
    })
  }

  #leave(): Promise<void> {
    const { environment, timeouts, backendName } = this.context
    return this.#serially(async () => {
      if (this.#subscriptions.size > 0) return
      const joined = this.#joined
      this.#joined = undefined
      if (joined === undefined) return
      // Later subscriptions wait for this, and so does the end of the peer.
      await withTimeout(environment.clock, {}, timeouts.subscribe, 'unsubscribe', async () => {
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
    const { environment, timeouts, transport, backendName } = this.context
    checkKeys('ready', options, ['signal', 'timeout', 'context', 'peers'])
    const wanted = checkNumber('ready', 'peers', options.peers, { min: 0, integer: true }, 1)
    this.#assertPeers('ready')
    await withTimeout(environment.clock, this.#scoped(options), timeouts.subscribe, 'ready', async (signal) => {
      for (let attempt = 1; ; attempt++) {
        const peers = await typed('ready', backendName, () => transport.peers(this.name, { signal }))
        if (peers.length >= wanted) return
        await sleep(backoff(readyPauses, attempt), { clock: environment.clock })
        if (signal.aborted) throw abortError('ready', signal)
      }
    })
  }

  async peers(options?: CallOptions): Promise<readonly PeerInfo[]> {
    const { environment, timeouts, transport, backendName } = this.context
    checkKeys('peers', options, ['signal', 'timeout', 'context'])
    this.#assertPeers('peers')
    return await withTimeout(environment.clock, this.#scoped(options), timeouts.subscribe, 'peers', async (signal) => {
      return await typed('peers', backendName, () => transport.peers(this.name, { signal }))
    })
  }

  #scoped(options: CallOptions | undefined): CountdownOptions {
    return { signal: options?.signal, timeout: options?.timeout, scope: this.#life.signal }
  }

  #assertPeers(operation: string): void {
    this.context.assertRunning(operation)
    if (this.context.capabilities().peers === 'none') throw unsupported(this.context.backendName, `topic.${operation}`)
  }

  stats(): TopicStats {
    return { ...this.#counters, dropped: { ...this.#dropped } }
  }

  protected get hasEcho(): boolean {
    for (const subscription of this.#subscriptions) if (subscription.echo) return true
    return false
  }

  /** The largest payload that any subscription takes. */
  protected get maxPayloadBytes(): number {
    let most = 0
    for (const { maxPayloadBytes } of this.#subscriptions) most = Math.max(most, maxPayloadBytes)
    return most
  }

  protected deliver(message: M): void {
    this.#counters.delivered++
    for (const subscription of this.#subscriptions) {
      if (message.payload.byteLength <= subscription.maxPayloadBytes) subscription.push(message)
      else subscription.push(this.#gap({ reason: 'oversized', count: 1 }))
    }
  }

  protected deliverGap(gap: Omit<Gap, 'type' | 'topic' | 'at'>): void {
    this.#counters.gaps++
    const item = this.#gap(gap)
    for (const subscription of this.#subscriptions) subscription.push(item)
  }

  #gap(gap: Omit<Gap, 'type' | 'topic' | 'at'>): Gap {
    return { type: 'gap', topic: this.name, at: this.context.environment.clock.wall(), ...gap }
  }

  protected deliverOwn(message: M): void {
    for (const subscription of this.#subscriptions) if (subscription.echo) subscription.push(message)
  }

  protected changed(state: SubscriptionState): void {
    for (const subscription of this.#subscriptions) subscription.setState(state)
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

  /** Ends every subscription. */
  protected async closeSubscriptions(): Promise<void> {
    await Promise.allSettled([...this.#subscriptions].map((subscription) => subscription.close()))
  }

  /** Ends everything. Pending calls reject with `reason`. */
  async stop(reason: P2plError): Promise<void> {
    this.stopped = true
    this.#life.abort(reason)
    await this.closeSubscriptions()
  }
}

export function checkSubscribeOptions(options: SubscribeOptions): void {
  checkKeys('subscribe', options, subscribeKeys)
  checkNumber('subscribe', 'maxQueuedMessages', options.maxQueuedMessages, { min: 1 }, 1)
  checkNumber('subscribe', 'maxQueuedBytes', options.maxQueuedBytes, { min: 1 }, 1)
  checkNumber('subscribe', 'maxPayloadBytes', options.maxPayloadBytes, { min: 0 }, 0)
  checkWord('subscribe', 'overflow', options.overflow, ['oldest', 'newest'], 'oldest')
  checkFlag('subscribe', 'echo', options.echo)
  timeoutOf(options, 1, 'subscribe')
  throwIfAborted('subscribe', options.signal)
}
