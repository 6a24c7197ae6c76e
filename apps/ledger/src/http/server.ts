import type { NodeListener } from '../node/node-events.ts'
import type { LedgerService } from '../service/service.ts'
import { EventStreams } from './event-stream.ts'
import type { ApiLimits } from './handler.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { type Api, startListener } from './listener.ts'
import { type ApiActivity, type NodeParts, nodeRoutes } from './node-routes.ts'
import { pageHandler } from './page.ts'
import { findRoute, noResource } from './router.ts'

export type { Api } from './listener.ts'

export interface ApiOptions {
  readonly service: LedgerService & { listen(listener: NodeListener): () => void }
  /** Default 0, which picks a free port. */
  readonly port?: number | undefined
  readonly limits?: Partial<ApiLimits> | undefined
  /** Default: the activity of a node that is known only to be well. */
  readonly activity?: ApiActivity | undefined
  /** Receives errors that are not reported to the client. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** Serves a ledger on the loopback interface only: an API for programs, and a page for people. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { service, activity } = options
  const answers = new Map<string, number>()
  const events = new EventStreams()
  let unwatch: (() => void) | undefined
  const traced = new EventStreams({
    maxClients: 16,
    onUse: (used) => {
      unwatch?.()
      unwatch = used ? activity?.listen?.((data) => traced.send({ type: 'trace', data })) : undefined
    }
  })
  const parts: NodeParts = { service, events, traced, activity: countedActivity(activity, answers) }
  const listener = await startListener({
    ...options,
    find: (method, path) => {
      const handler =
        findRoute(nodeRoutes, method, path, parts) ??
        findRoute(ledgerRoutes, method, path, parts) ??
        pageHandler(method, path)
      if (handler === undefined) throw noResource(path)
      return handler
    },
    onAnswer: (status) => answers.set(String(status), (answers.get(String(status)) ?? 0) + 1)
  })
  const unlisten = service.listen((event) => {
    events.send(event)
    traced.send(event)
  })
  return {
    ...listener,
    close: async () => {
      unlisten()
      events.close()
      traced.close()
      await listener.close()
    }
  }
}

function countedActivity(activity: ApiActivity | undefined, answers: ReadonlyMap<string, number>): ApiActivity {
  return {
    health: () => activity?.health() ?? { status: 'ok', degraded: [] },
    metrics: () => [
      ...(activity?.metrics() ?? []),
      {
        name: 'p2pl_ledger_http_requests_total',
        type: 'counter',
        help: 'Requests that were answered, by status.',
        samples: [...answers].map(([status, value]) => ({ labels: { status }, value }))
      }
    ]
  }
}
