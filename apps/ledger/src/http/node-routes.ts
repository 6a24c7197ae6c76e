import { formatMetrics, type Metric } from '@p2pl/layers/prometheus'
import type { NodeEvent } from '../node/node-events.ts'
import type { LedgerService } from '../service/service.ts'
import type { TraceView } from '../service/trace-view.ts'
import type { HealthView, NodesView } from '../service/views.ts'
import type { EventStreams } from './event-stream.ts'
import { sendJson, sendText } from './handler.ts'
import { nodeMetrics } from './node-metrics.ts'
import { get, type Route } from './router.ts'

export interface NodeParts {
  readonly service: LedgerService
  readonly events: EventStreams
  /** Events, and the node's activity on the network. */
  readonly traced: EventStreams
  readonly activity: ApiActivity
}

/** What the API reports about the node itself. */
export interface ApiActivity {
  health(): HealthView
  metrics(): readonly Metric[]
  /** Calls the listener for the node's activity on the network. Returns a function that stops it. */
  listen?(listener: (view: TraceView) => void): () => void
}

/** The requests about a node itself. */
export const nodeRoutes: readonly Route<NodeParts>[] = [
  get(/^\/v1\/health$/, async (context) => {
    const health = context.activity.health()
    const { entries, connections, missing, damaged } = await context.service.status()
    const body = { ...health, entries, connections, missing, damaged }
    sendJson(context.response, health.status === 'ok' ? 200 : 503, body)
  }),
  get(/^\/v1\/nodes$/, async ({ response, service }) => {
    const { account } = await service.status()
    const nodes: NodesView = { nodes: [{ name: account, life: 'up', path: '/v1' }], demonstration: false }
    sendJson(response, 200, nodes)
  }),
  get(/^\/v1\/metrics$/, async (context) => {
    const text = formatMetrics([...nodeMetrics(await context.service.status()), ...context.activity.metrics()])
    sendText(context.response, 200, 'text/plain; version=0.0.4; charset=utf-8', text)
  }),
  get(/^\/v1\/events$/, async (context) => {
    const { root, entries } = await context.service.status()
    const first: NodeEvent = { type: 'digest', data: { root, entries } }
    const streams = context.url.searchParams.get('traces') === 'true' ? context.traced : context.events
    streams.open(context.response, first)
  })
]
