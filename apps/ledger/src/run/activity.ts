import type { BackendEvent } from '@p2pl/core'
import { type Layer } from '@p2pl/layers'
import { LineBudget, log as logCalls } from '@p2pl/layers/log'
import { metrics } from '@p2pl/layers/metrics'
import { type Metric, prometheusSink } from '@p2pl/layers/prometheus'
import { errorFields, type Log, type LogFields, type LogLevel } from '../log.ts'
import type { Trouble } from '../node/ledger-node.ts'
import type { HealthView } from '../service/views.ts'
import { type TraceListener, Traces } from './traces.ts'
import { traffic } from './traffic.ts'

type DropReason = Extract<Trouble, { type: 'dropped' }>['reason']

/** Follows the reports of backends and sync: in the log, as health, and as metrics. */
export class Activity {
  readonly #log: Log
  readonly #budget = new LineBudget(30, 60_000)
  readonly #degraded = new Map<string, { readonly reason: string; readonly since: number }>()
  readonly #backendEvents = new Map<BackendEvent['type'], number>()
  readonly #drops = new Map<DropReason, number>()
  readonly #calls = prometheusSink()
  readonly #traces = new Traces()
  /**
   * Layers for the backends of the node. They count its calls and messages, trace them for watchers, and log each call
   * if requested.
   */
  readonly layers: readonly Layer[]

  constructor(log: Log, options: { readonly calls?: boolean | undefined } = {}) {
    this.#log = log
    const layers: Layer[] = [metrics(this.#calls), traffic(this.#traces)]
    if (options.calls === true) {
      layers.push(logCalls({ write: (_, message, fields) => log('debug', message, fields) }))
    }
    this.layers = layers
  }

  onBackendEvent(event: BackendEvent): void {
    const { type, backend } = event
    this.#backendEvents.set(type, (this.#backendEvents.get(type) ?? 0) + 1)
    this.#trace(event)
    if (type === 'degraded') {
      const { error } = event
      if (!this.#degraded.has(backend)) this.#degraded.set(backend, { reason: error.message, since: performance.now() })
      this.#write(type, 'warn', 'the network cannot be used for now', {
        backend,
        reason: error.message,
        ...errorFields(error)
      })
    } else if (type === 'recovered') {
      const since = this.#degraded.get(backend)?.since
      this.#degraded.delete(backend)
      const seconds = since === undefined ? undefined : Math.round((performance.now() - since) / 100) / 10
      this.#write(type, 'info', 'the network can be used again', { backend, seconds })
    } else if (type === 'warning') this.#write(type, 'warn', event.message, { backend })
    else if (type === 'peer:connect') this.#write(type, 'info', 'peer connected', { backend, peer: event.id })
    else this.#write(type, 'info', 'peer disconnected', { backend, peer: event.id })
  }

  onTrouble(event: Trouble): void {
    if (event.type === 'damaged') {
      const entry = event.cid.toString()
      this.#traces.add({ type: 'warning', reason: `the stored entry ${entry} is damaged` })
      this.#write(event.type, 'error', 'a stored entry is damaged; it is fetched from other peers', { entry })
      return
    }
    const { reason } = event
    this.#traces.add({ type: 'dropped', reason })
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1)
    // A full queue concerns this node. Other refused input concerns its sender.
    this.#write(
      reason,
      reason === 'overloaded' ? 'warn' : 'debug',
      `something from the network was dropped: ${reason}`,
      {}
    )
  }

  /**
   * Calls the listener for everything that the node sends, receives, requests or fails to do from now on. Returns a
   * function that stops it.
   */
  listen(listener: TraceListener): () => void {
    return this.#traces.listen(listener)
  }

  health(): HealthView {
    const degraded = [...this.#degraded].map(([backend, { reason, since }]) => {
      return { backend, reason, seconds: Math.round((performance.now() - since) / 1_000) }
    })
    return { status: degraded.length === 0 ? 'ok' : 'degraded', degraded }
  }

  metrics(): Metric[] {
    return [
      {
        name: 'p2pl_ledger_backend_degraded',
        type: 'gauge',
        help: 'Whether the engine of a backend cannot be used now.',
        samples: [{ value: this.#degraded.size === 0 ? 0 : 1 }]
      },
      {
        name: 'p2pl_ledger_backend_events_total',
        type: 'counter',
        help: 'What backends reported, by type.',
        samples: [...this.#backendEvents].map(([type, value]) => ({ labels: { type }, value }))
      },
      {
        name: 'p2pl_ledger_dropped_total',
        type: 'counter',
        help: 'Messages and entries from the network that were refused, by reason.',
        samples: [...this.#drops].map(([reason, value]) => ({ labels: { reason }, value }))
      },
      ...this.#calls.metrics()
    ]
  }

  #trace(event: BackendEvent): void {
    if (event.type === 'degraded') this.#traces.add({ type: event.type, reason: event.error.message })
    else if (event.type === 'warning') this.#traces.add({ type: event.type, reason: event.message })
    else if (event.type === 'recovered') this.#traces.add({ type: event.type, reason: event.backend })
    else this.#traces.add({ type: event.type === 'peer:connect' ? 'connected' : 'disconnected', peer: event.id })
  }

  #write(kind: string, level: LogLevel, message: string, fields: LogFields): void {
    const { write, leftOut } = this.#budget.take(kind)
    if (write) this.#log(level, message, leftOut === 0 ? fields : { ...fields, leftOut })
  }
}
