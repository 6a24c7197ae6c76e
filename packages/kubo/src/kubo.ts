import type { AbortOptions } from '@p2pl/core/backend'
import type { P2plError } from '@p2pl/core/backend'
import { ManagedDaemon } from './daemon/managed.ts'
import { classify, notRunning } from './errors.ts'
import { Health } from './health.ts'
import { type Identity, identify } from './identity.ts'
import { type KuboOptions, type KuboSettings, parseOptions } from './options.ts'
import { type CallKind, Transport } from './rpc/transport.ts'

export type KuboEvent =
  /** The daemon does not answer, or its process has ended. */
  | { readonly type: 'lost'; readonly error: P2plError }
  /** The daemon answers again. */
  | { readonly type: 'back' }
  /** A message for a person. */
  | { readonly type: 'warning'; readonly message: string }

export interface KuboStartOptions extends AbortOptions {
  readonly onEvent?: ((event: KuboEvent) => void) | undefined
}

/** A Kubo daemon: a running one, or one that is started here and lives until `stop`. */
export class Kubo {
  /** Makes calls of its RPC API. */
  readonly rpc: Transport
  readonly health: Health
  readonly #managed: ManagedDaemon | undefined
  readonly #settings: KuboSettings
  readonly #starting: CallKind
  readonly #looking: CallKind
  #identity: Identity | undefined
  #onEvent: KuboStartOptions['onEvent']

  /** Throws `INVALID_ARGUMENT`. */
  constructor(options: KuboOptions = {}) {
    const settings = parseOptions(options)
    const { timeout, probeInterval, probeTimeout, daemon } = settings
    this.#settings = settings
    this.#managed = daemon === undefined ? undefined : new ManagedDaemon(daemon, settings.pubsub)
    this.#starting = { operation: 'start', lane: 'network', timeout }
    this.#looking = { operation: 'health', lane: 'network', timeout: probeTimeout }
    this.rpc = new Transport(timeout)
    this.health = new Health({
      look: async (signal) => {
        this.#identity = await identify(this.rpc, this.#looking, signal)
      },
      interval: probeInterval,
      timeout: probeTimeout,
      hangTimeout: daemon?.hangTimeout ?? 30_000
    })
    this.health.on((event) => {
      if (event.type === 'hung') this.#endHung(event.silence)
      else if (event.type === 'ended') this.#onEvent?.({ type: 'warning', message: event.error.message })
      else if (event.type !== 'look') this.#onEvent?.(event)
    })
  }

  /** Id and addresses of the daemon, as of the last look. */
  get identity(): Identity {
    if (this.#identity === undefined) throw notRunning('identity')
    return this.#identity
  }

  /**
   * Resolves when the daemon answers. A failure or an abort leaves nothing running. Do not call it again until `stop`
   * has resolved.
   */
  async start({ onEvent, signal }: KuboStartOptions = {}): Promise<void> {
    this.#onEvent = onEvent
    try {
      await this.rpc.open(this.#settings.target ?? (await this.#startManaged(signal)))
      this.#identity = await identify(this.rpc, this.#starting, signal)
      this.health.start()
    } catch (error) {
      await this.stop()
      throw classify('start', error, signal)
    }
  }

  /** Ends pending calls with `NOT_RUNNING`, and ends a daemon that was started here. */
  async stop(): Promise<void> {
    this.health.stop()
    this.#identity = undefined
    this.rpc.close()
    await this.#managed?.stop()
    this.#onEvent = undefined
  }

  #endHung(silence: number): void {
    if (this.#managed === undefined) return
    this.health.ending()
    this.#managed.hung(silence)
  }

  async #startManaged(signal: AbortSignal | undefined): ReturnType<ManagedDaemon['start']> {
    const managed = this.#managed
    if (managed === undefined) throw notRunning('start')
    return await managed.start(
      {
        warn: (message) => this.#onEvent?.({ type: 'warning', message }),
        lost: (error) => this.health.ended(error),
        back: (target) => {
          void this.rpc.open(target).then(() => {
            this.health.restarted()
          })
        }
      },
      signal
    )
  }
}
