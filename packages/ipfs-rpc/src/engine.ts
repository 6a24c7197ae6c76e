import { type BackendEvent, isP2plError, type P2plError, type PeerInfo, throwIfAborted } from '@p2pl/core/backend'
import { Kubo, type KuboEvent } from '@p2pl/kubo'
import { backendName, classify, failure, notRunning, stopped } from './errors.ts'
import { named } from './named.ts'
import type { Settings } from './options.ts'
import { RpcClient } from './rpc/client.ts'
import type { LibraryCallKind } from './rpc/client.ts'

const listingTopics: LibraryCallKind = { operation: 'start', lane: 'store' }

/** The daemon as the parts of the backend see it. */
export class Engine {
  readonly kubo: Kubo
  readonly rpc: RpcClient
  readonly #pubsub: boolean
  #life: AbortController | undefined
  #onEvent: ((event: BackendEvent) => void) | undefined

  constructor(settings: Settings) {
    this.kubo = new Kubo(settings.kubo)
    this.rpc = new RpcClient(this.kubo.rpc)
    this.#pubsub = settings.pubsub
  }

  /** Throws `NOT_RUNNING`, or the error of a signal that has fired. */
  check(operation: string, signal?: AbortSignal): void {
    if (this.#life === undefined) throw notRunning(operation)
    throwIfAborted(operation, signal, backendName)
  }

  /** Fires when the backend stops. */
  get life(): AbortSignal {
    if (this.#life === undefined) throw notRunning('engine')
    return this.#life.signal
  }

  self(): PeerInfo {
    if (this.#life === undefined) throw notRunning('self')
    const { id, addresses } = this.kubo.identity
    return { id, addresses }
  }

  emit(event: BackendEvent): void {
    this.#onEvent?.(event)
  }

  warn(message: string): void {
    this.emit({ type: 'warning', backend: backendName, message })
  }

  async start(onEvent: ((event: BackendEvent) => void) | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#onEvent = onEvent
    try {
      await this.kubo.start({ signal, onEvent: (event) => this.emit(backendEvent(event)) })
      if (this.#pubsub) await this.#checkPubsub(signal)
      this.#life = new AbortController()
      if (this.#pubsub) this.#warnOfOldVersion()
    } catch (error) {
      await this.stop()
      throw classify('start', error, signal)
    }
  }

  async stop(): Promise<void> {
    this.#life?.abort(stopped)
    this.#life = undefined
    await this.kubo.stop()
    this.#onEvent = undefined
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
    const version = /^kubo\/(\d+)\.(\d+)\./.exec(this.kubo.identity.agent)
    if (version === null || Number(version[1]) > 0 || Number(version[2]) >= 43) return
    this.warn(
      `the daemon is Kubo 0.${String(version[2])}: before 0.43 others can exhaust its memory through pubsub topics (CVE-2026-46679); update it`
    )
  }
}

function backendEvent(event: KuboEvent): BackendEvent {
  if (event.type === 'warning') return { ...event, backend: backendName }
  if (event.type === 'back') return { type: 'recovered', backend: backendName }
  const error = named(event.error)
  return { type: 'degraded', backend: backendName, error: isP2plError(error) ? error : (event.error as P2plError) }
}
