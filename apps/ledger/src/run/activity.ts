import type { BackendEvent } from '@p2pl/core'
import type { Metric } from '../http/prometheus.ts'
import { errorFields, type Log, type LogFields, type LogLevel } from '../log.ts'
import type { Trouble } from '../node/ledger-node.ts'
import type { HealthView } from '../service/views.ts'
import { LineBudget } from './line-budget.ts'

type DropReason = Extract<Trouble, { type: 'dropped' }>['reason']

/** Follows what backends and sync report: in the log, as health, and as numbers. */
export class Activity {
  readonly #log: Log
  readonly #budget = new LineBudget(30, 60_000)
  readonly #degraded = new Map<string, { readonly reason: string; readonly since: number }>()
  readonly #backendEvents = new Map<BackendEvent['type'], number>()
  readonly #drops = new Map<DropReason, number>()

  constructor(log: Log) {
    this.#log = log
  }

  onBackendEvent(event: BackendEvent): void {
    const { type, backend } = event
    this.#backendEvents.set(type, (this.#backendEvents.get(type) ?? 0) + 1)
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
      this.#write(event.type, 'error', 'a stored entry is damaged; it is fetched from other peers', { entry })
      return
    }
    const { reason } = event
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1)
    // A full queue concerns this node. Other refused input concerns its sender.
    this.#write(
      reason,
      reason === 'overloaded' ? 'warn' : 'debug',
      `something from the network was dropped: ${reason}`,
      {}
    )
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
        name: 'backend_degraded',
        type: 'gauge',
        help: 'Whether the engine of a backend cannot be used now.',
        samples: [{ value: this.#degraded.size === 0 ? 0 : 1 }]
      },
      {
        name: 'backend_events_total',
        type: 'counter',
        help: 'What backends reported, by type.',
        samples: [...this.#backendEvents].map(([type, value]) => ({ labels: { type }, value }))
      },
      {
        name: 'dropped_total',
        type: 'counter',
        help: 'Messages and entries from the network that were refused, by reason.',
        samples: [...this.#drops].map(([reason, value]) => ({ labels: { reason }, value }))
      }
    ]
  }

  #write(kind: string, level: LogLevel, message: string, fields: LogFields): void {
    const { write, leftOut } = this.#budget.take(kind)
    if (write) this.#log(level, message, leftOut === 0 ? fields : { ...fields, leftOut })
  }
}
