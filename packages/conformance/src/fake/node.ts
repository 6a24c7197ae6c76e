import {
  abortError,
  P2plError,
  throwIfAborted,
  unsupported,
  type AbortOptions,
  type Backend,
  type BackendEvent,
  type BlockTransport,
  type Capabilities,
  type ErrorCode,
  type MessageTransport,
  type PeerInfo,
  type Routing,
  type StartOptions
} from '@p2pl/core/backend'
import { FakeBlocks } from './blocks.ts'
import { FakeMessages, type FakeSubscription } from './messages.ts'
import type { FakeNetwork, FakeStore } from './network.ts'
import { FakeRouting } from './routing.ts'

const fakeName = 'fake'

/** What lives from one start to the next stop. */
export interface Run {
  readonly stopped: AbortController
  readonly topics: Map<string, Set<FakeSubscription>>
  readonly provided: Set<string>
  onEvent: StartOptions['onEvent']
}

/** A right backend in one process, as small as one can be that keeps every promise of the port. */
export class FakeNode implements Backend {
  readonly name: string = fakeName
  readonly capabilities: Capabilities
  readonly network: FakeNetwork
  readonly store: FakeStore
  readonly messages: MessageTransport | undefined
  readonly blocks: BlockTransport | undefined
  readonly routing: Routing | undefined
  /** Whether the next delivery is lost; for backends that declare `at-most-once`. */
  readonly lose: () => boolean
  #run: Run | undefined

  constructor(network: FakeNetwork, store: FakeStore, capabilities: Capabilities, lose: () => boolean) {
    this.network = network
    this.store = store
    this.capabilities = capabilities
    this.lose = lose
    if (capabilities.messages !== undefined) this.messages = new FakeMessages(this, capabilities.messages)
    if (capabilities.blocks !== undefined) this.blocks = new FakeBlocks(this, capabilities.blocks)
    if (capabilities.routing !== undefined) this.routing = new FakeRouting(this, capabilities.routing)
  }

  async start(options: StartOptions = {}): Promise<void> {
    if (this.#run !== undefined) return
    throwIfAborted('start', options.signal, this.name)
    if (this.network.obstructed.has(this.store.id)) throw this.error('LOCKED', 'start', 'the store is in use')
    if (this.capabilities.blocks?.persistence === 'none') {
      this.store.blocks.clear()
      this.store.pins.clear()
    }
    this.#run = { stopped: new AbortController(), topics: new Map(), provided: new Set(), onEvent: options.onEvent }
    this.network.nodes.set(this.store.id, this)
  }

  async stop(): Promise<void> {
    const run = this.#run
    if (run === undefined) return
    this.network.remove(this.store.id)
    this.#run = undefined
    run.stopped.abort()
    run.topics.clear()
  }

  self(): PeerInfo {
    this.running('self')
    return { id: this.store.id, addresses: [`fake:${this.store.id}`] }
  }

  get run(): Run | undefined {
    return this.#run
  }

  running(operation: string): Run {
    if (this.#run === undefined) throw this.error('NOT_RUNNING', operation, 'the backend is not running: call start()')
    return this.#run
  }

  report(event: BackendEvent): void {
    this.#run?.onEvent?.(event)
  }

  error(code: ErrorCode, operation: string, message: string, cause?: unknown): P2plError {
    return new P2plError({ code, operation, backend: this.name, message, cause })
  }

  unsupported(operation: string): P2plError {
    return unsupported(this.name, operation)
  }

  /** Checks state and signal, then runs the body until it, the signal or `stop` ends it. */
  async call<T>(
    operation: string,
    options: AbortOptions | undefined,
    body: (run: Run, signal: AbortSignal) => T | Promise<T>
  ): Promise<T> {
    const run = this.running(operation)
    const signal = options?.signal
    throwIfAborted(operation, signal, this.name)
    const ended = signal === undefined ? run.stopped.signal : AbortSignal.any([signal, run.stopped.signal])
    return await new Promise<T>((resolve, reject) => {
      const onEnd = (): void =>
        reject(
          run.stopped.signal.aborted
            ? this.error('NOT_RUNNING', operation, 'the backend was stopped')
            : abortError(operation, ended, this.name)
        )
      ended.addEventListener('abort', onEnd, { once: true })
      // eslint-disable-next-line -- the body may throw at once, and that is a rejection as well
      const work = (async (): Promise<T> => await body(run, ended))()
      work
        .then(resolve, reject)
        .finally(() => ended.removeEventListener('abort', onEnd))
        .catch(() => undefined)
    })
  }

  /** Like {@link call}, step by step. */
  async *iterate<T>(
    operation: string,
    options: AbortOptions | undefined,
    body: () => AsyncGenerator<T>
  ): AsyncGenerator<T> {
    const steps = await this.call(operation, options, () => body())
    try {
      for (;;) {
        const step = await this.call(operation, options, async () => await steps.next())
        if (step.done === true) return
        yield step.value
      }
    } finally {
      void steps.return(undefined)
    }
  }
}
