import type { BackendEvent, P2plError, PeerInfo } from '@p2pl/core/backend'
import { isP2plError, throwIfAborted } from '@p2pl/core/backend'
import { backendName, classify, failure, notRunning, stopped } from './errors.ts'
import { RpcClient } from './rpc/client.ts'
import { identity } from './rpc/screens.ts'
import type { Target } from './rpc/target.ts'
import type { CallKind } from './rpc/transport.ts'

const listingTopics: CallKind = { operation: 'start', lane: 'store' }

/** Where the daemon comes from: an address, or a process of our own. */
export interface DaemonSource {
  /** Resolves when the daemon answers at the target. `onTarget` is called when it moves. */
  start(hooks: DaemonHooks, signal: AbortSignal | undefined): Promise<Target>
  stop(): Promise<void>
  /** The process runs, but has not answered for `silence` milliseconds. Left out where the process is somebody else's. */
  hung?(silence: number): void
}

export interface DaemonHooks {
  event(event: BackendEvent): void
  /** The process ended by itself; it is being restarted. */
  lost(error: P2plError): void
  /** It runs again, perhaps elsewhere. */
  back(target: Target): void
}

export interface EngineOptions {
  readonly source: DaemonSource
  readonly pubsub: boolean
  /** Milliseconds that local work of the daemon may take. */
  readonly timeout: number
  /** Milliseconds between two looks at the daemon. */
  readonly probeInterval: number
  /** Milliseconds after which a daemon that does not answer counts as lost. */
  readonly probeTimeout: number
  /** Milliseconds without an answer after which a process of our own is started anew. */
  readonly hangTimeout: number
}

/** The daemon as one thing that is reachable or not, and what is to be told when that changes. */
export class Engine {
  readonly rpc: RpcClient
  readonly #options: EngineOptions
  readonly #watchers = new Set<(state: 'lost' | 'back') => void>()
  readonly #tickers = new Set<() => Promise<void>>()
  #life: AbortController | undefined
  #self: PeerInfo | undefined
  #degraded = false
  #losses = 0
  // Looks in a row that failed, and the end of the first of them.
  #failedProbes = 0
  #silentSince = 0
  #agent: string | undefined
  readonly #starting: CallKind
  readonly #probing: CallKind
  #timer: NodeJS.Timeout | undefined
  #onEvent: ((event: BackendEvent) => void) | undefined

  constructor(options: EngineOptions) {
    this.#options = options
    this.rpc = new RpcClient(options.timeout)
    this.#starting = { operation: 'start', lane: 'network', timeout: options.timeout, screen: identity }
    this.#probing = { operation: 'probe', lane: 'network', timeout: options.probeTimeout, screen: identity }
  }

  /** Throws `NOT_RUNNING`, or the error of a signal that has fired. */
  check(operation: string, signal?: AbortSignal): void {
    if (this.#self === undefined) throw notRunning(operation)
    throwIfAborted(operation, signal, backendName)
  }

  /** Fires when the backend stops. */
  get life(): AbortSignal {
    if (this.#life === undefined) throw notRunning('engine')
    return this.#life.signal
  }

  self(): PeerInfo {
    if (this.#self === undefined) throw notRunning('self')
    return this.#self
  }

  emit(event: BackendEvent): void {
    this.#onEvent?.(event)
  }

  warn(message: string): void {
    this.emit({ type: 'warning', backend: backendName, message })
  }

  /** `lost` when the daemon stopped answering, `back` when it answers again. Returns what ends the watching. */
  watch(watcher: (state: 'lost' | 'back') => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Called after every look at a healthy daemon; rejections are its own affair. */
  onTick(ticker: () => Promise<void>): void {
    this.#tickers.add(ticker)
  }

  async start(onEvent: ((event: BackendEvent) => void) | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#onEvent = onEvent
    this.#life = new AbortController()
    try {
      const target = await this.#options.source.start(
        {
          event: (event) => this.emit(event),
          lost: (error) => this.#lost(error),
          back: (moved) => {
            this.rpc.retarget(moved)
            this.#failedProbes = 0
            this.#schedule(0)
          }
        },
        signal
      )
      this.rpc.open(target)
      const self = await this.#identify(this.#starting, signal)
      if (this.#options.pubsub) await this.#checkPubsub(signal)
      this.#self = self
      if (this.#options.pubsub) this.#warnOfOldVersion()
      this.#schedule(this.#options.probeInterval)
    } catch (error) {
      await this.stop()
      throw classify('start', error, signal)
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#self = undefined
    this.#degraded = false
    this.#failedProbes = 0
    this.#life?.abort(stopped)
    this.#life = undefined
    this.rpc.close()
    await this.#options.source.stop()
    this.#onEvent = undefined
  }

  async #identify(kind: CallKind, signal: AbortSignal | undefined): Promise<PeerInfo> {
    try {
      const { id, addresses, agentVersion } = await this.rpc.call(
        kind,
        signal,
        async (kubo, options) => await kubo.id(options)
      )
      this.#agent = agentVersion
      return { id: id.toString(), addresses: addresses.map((address) => address.toString()) }
    } catch (error) {
      if (!isP2plError(error, 'PROTOCOL') || !error.retryable) throw error
      throw failure('PROTOCOL', kind.operation, 'what answers at this address is no Kubo daemon: check the url', {
        cause: error
      })
    }
  }

  async #checkPubsub(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.rpc.call(listingTopics, signal, async (kubo, options) => await kubo.pubsub.ls(options))
    } catch (error) {
      const classified = classify('start', error, signal)
      if (classified.code !== 'UNSUPPORTED' && classified.code !== 'ENGINE') throw classified
      throw failure(
        'UNSUPPORTED',
        'start',
        'this daemon has no pubsub: run "ipfs config --json Pubsub.Enabled true" and restart it, or pass "pubsub: false" to use it for data only',
        { cause: error }
      )
    }
  }

  #warnOfOldVersion(): void {
    const version = /^kubo\/(\d+)\.(\d+)\./.exec(this.#agent ?? '')
    if (version === null || Number(version[1]) > 0 || Number(version[2]) >= 43) return
    this.warn(
      `the daemon is Kubo 0.${String(version[2])}: before 0.43 others can exhaust its memory through pubsub topics (CVE-2026-46679); update it`
    )
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#life === undefined) return
    this.#timer = setTimeout(() => void this.#probe(), ms)
    this.#timer.unref()
  }

  async #probe(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    const losses = this.#losses
    try {
      const self = await this.#identify(this.#probing, life.signal)
      if (life.signal.aborted) return
      // An answer of before the loss says nothing about now.
      if (losses !== this.#losses) return this.#schedule(0)
      this.#self = self
      this.#failedProbes = 0
      this.#back()
      for (const ticker of this.#tickers) await ticker().catch(() => {})
    } catch (error) {
      if (!life.signal.aborted) this.#unanswered(classify('probe', error))
    }
    if (!life.signal.aborted) this.#schedule(this.#options.probeInterval)
  }

  #unanswered(error: P2plError): void {
    this.#lost(error)
    const now = performance.now()
    if (++this.#failedProbes === 1) this.#silentSince = now
    // More than two, because this process may have stood still itself.
    const silence = now - this.#silentSince + this.#options.probeTimeout
    if (this.#failedProbes > 2 && silence >= this.#options.hangTimeout) this.#options.source.hung?.(silence)
  }

  #lost(error: P2plError): void {
    this.#losses++
    if (this.#degraded || this.#self === undefined) return
    this.#degraded = true
    this.emit({ type: 'degraded', backend: backendName, error })
    for (const watcher of this.#watchers) watcher('lost')
  }

  #back(): void {
    if (!this.#degraded) return
    this.#degraded = false
    this.emit({ type: 'recovered', backend: backendName })
    for (const watcher of this.#watchers) watcher('back')
  }
}
