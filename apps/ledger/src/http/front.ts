import { LedgerError } from '../errors.ts'
import type { LedgerService } from '../service/service.ts'
import type { RemoteLedger } from '../service/remote.ts'
import type { NodesView } from '../service/views.ts'
import { EventStreams } from './event-stream.ts'
import { FleetEvents } from './fleet-events.ts'
import { type Handler, sendJson } from './handler.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { type Api, startListener } from './listener.ts'
import { pageHandler } from './page.ts'
import { decode, findRoute, get, noResource, post, type Route } from './router.ts'

/** One peer of a demonstration. */
export interface DemoPeer {
  readonly name: string
  readonly life: 'starting' | 'up' | 'killed'
  /** The peer's API while it is up. Each run of the peer has a different object. */
  readonly ledger?: (LedgerService & Pick<RemoteLedger, 'events'>) | undefined
}

/** What a page needs from a demonstration. */
export interface Demo {
  peers(): readonly DemoPeer[]
  /** Kills a peer. The demonstration restarts it. */
  kill(name: string): Promise<void>
  /** Calls the listener when a peer starts or ends. Returns a function that stops it. */
  watch(listener: () => void): () => void
}

export interface FrontOptions {
  readonly demo: Demo
  /** Default 0, which picks a free port. */
  readonly port?: number | undefined
  readonly onError?: ((error: unknown) => void) | undefined
}

interface FrontParts {
  readonly demo: Demo
  readonly events: EventStreams
}

const frontRoutes: readonly Route<FrontParts>[] = [
  get(/^\/v1\/nodes$/, async ({ response, demo }) => sendJson(response, 200, nodesOf(demo))),
  get(/^\/v1\/events$/, async ({ response, demo, events }) => {
    events.open(response, { type: 'nodes', data: nodesOf(demo) })
  }),
  post(/^\/v1\/demo\/peers\/([^/]+)\/kill$/, async ({ response, demo }, name) => {
    peerOf(demo, name)
    await demo.kill(name)
    sendJson(response, 200, { killed: name })
  })
]

/** The requests that a page may send to each node. Everything else is for programs, at the node itself. */
const forPages = /^\/(?:status|genesis|balances|entries|content|blocks|transfers|records)(?:\/|$)/

/**
 * Serves the page of a whole demonstration: the APIs of all its peers below `/v1/nodes/<name>`, their events as one
 * stream, and a switch that kills a peer. The page stays available while peers start and end.
 */
export async function startFront({ demo, port, onError }: FrontOptions): Promise<Api> {
  const upstream = new FleetEvents(demo, (event) => events.send(event))
  const events = new EventStreams({ onUse: (used) => (used ? upstream.start() : upstream.stop()) })
  const unwatch = demo.watch(() => events.send({ type: 'nodes', data: nodesOf(demo) }))
  const listener = await startListener({
    port,
    onError,
    find: (method, path) => {
      const handler =
        findRoute(frontRoutes, method, path, { demo, events }) ??
        findNodeRoute(demo, method, path) ??
        pageHandler(method, path)
      if (handler === undefined) throw noResource(path)
      return handler
    }
  })
  return {
    ...listener,
    close: async () => {
      unwatch()
      events.close()
      await listener.close()
    }
  }
}

function findNodeRoute(demo: Demo, method: string, path: string): Handler | undefined {
  const [, name, rest = ''] = /^\/v1\/nodes\/([^/]+)(\/.*)$/.exec(path) ?? []
  if (name === undefined || !forPages.test(rest)) return undefined
  return findRoute(ledgerRoutes, method, `/v1${rest}`, { service: serviceOf(demo, decode(name)) })
}

function serviceOf(demo: Demo, name: string): LedgerService {
  const { ledger } = peerOf(demo, name)
  if (ledger === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run now`)
  return ledger
}

function peerOf(demo: Demo, name: string): DemoPeer {
  const peer = demo.peers().find((one) => one.name === name)
  if (peer === undefined) throw new LedgerError('NOT_FOUND', `no peer ${name.slice(0, 80)} in this demonstration`)
  return peer
}

function nodesOf(demo: Demo): NodesView {
  const nodes = demo.peers().map(({ name, life }) => {
    return { name, life, path: `/v1/nodes/${encodeURIComponent(name)}` }
  })
  return { nodes, demonstration: true }
}
