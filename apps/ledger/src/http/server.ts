import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LedgerError } from '../errors.ts'
import type { NodeListener } from '../node/node-events.ts'
import { type LedgerService, maxDocumentBytes } from '../service/service.ts'
import { hasBody } from './body.ts'
import { Connections } from './connections.ts'
import { EventStreams } from './event-stream.ts'
import { checkOrigin, checkToken } from './guard.ts'
import { type ApiActivity, type ApiLimits, type Route, routes, sendJson } from './routes.ts'
import { failureOf } from './status-codes.ts'

export interface ApiOptions {
  readonly service: LedgerService & { listen(listener: NodeListener): () => void }
  /** Default 0: any free one. */
  readonly port?: number | undefined
  readonly limits?: Partial<ApiLimits> | undefined
  /** Default: a node of which nothing is known but that it is well. */
  readonly activity?: ApiActivity | undefined
  /** Receives errors that the client is not told. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface Api {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Needed for writing. New in every start. */
  readonly token: string
  close(): Promise<void>
}

const defaultLimits: ApiLimits = {
  maxJsonBytes: 16 * 1_024,
  maxJsonMs: 10_000,
  maxContentBytes: maxDocumentBytes,
  maxContentMs: 300_000,
  maxConnections: 256
}
/** A connection without traffic for this long is ended. Event streams have a heartbeat. */
const idleMs = 60_000

/** Serves a ledger on the loopback interface, and on no other. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const token = randomBytes(32).toString('base64url')
  const events = new EventStreams()
  const limits = { ...defaultLimits, ...options.limits }
  const server = createServer({
    maxHeaderSize: 8_192,
    headersTimeout: 10_000,
    // Bodies are timed where they are read, and get an answer.
    requestTimeout: 0,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 2_000
  })
  server.setTimeout(idleMs)
  const answers = new Map<string, number>()
  const context: ServerContext = {
    service: options.service,
    events,
    limits,
    activity: countedActivity(options.activity, answers),
    connections: new Connections(server, limits.maxConnections),
    answers,
    token,
    port: 0,
    onError: options.onError
  }
  server.on('request', (request, response) => {
    void answer(context, request, response)
  })
  const port = await listen(server, options.port ?? 0)
  context.port = port
  const unlisten = options.service.listen((event) => {
    events.send(event)
  })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    token,
    close: async () => {
      unlisten()
      events.close()
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      server.closeAllConnections()
      await closed
    }
  }
}

interface ServerContext {
  readonly service: LedgerService
  readonly events: EventStreams
  readonly limits: ApiLimits
  readonly activity: ApiActivity
  readonly connections: Connections
  /** Requests answered, by status. */
  readonly answers: Map<string, number>
  readonly token: string
  port: number
  readonly onError: ((error: unknown) => void) | undefined
}

async function answer(context: ServerContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  const { connections, answers } = context
  connections.rank(request.socket, 'served')
  response.on('close', () => {
    gone.abort()
    connections.rank(request.socket, 'idle')
    const status = String(response.statusCode)
    answers.set(status, (answers.get(status) ?? 0) + 1)
  })
  // A client that leaves during an answer is no failure of the node.
  response.on('error', () => undefined)
  try {
    checkOrigin(request, context.port)
    const url = parseUrl(request.url ?? '/', context.port)
    const { route, parameter } = findRoute(request.method ?? 'GET', url.pathname)
    if (route.write) {
      checkToken(request, context.token)
      connections.rank(request.socket, 'trusted')
    } else if (hasBody(request)) throw new LedgerError('INVALID_ARGUMENT', 'a GET request has no body')
    await route.handle({ ...context, request, response, url, signal: gone.signal }, parameter)
  } catch (error) {
    fail(context, request, response, error, gone.signal.aborted)
  }
}

function countedActivity(activity: ApiActivity | undefined, answers: ReadonlyMap<string, number>): ApiActivity {
  return {
    health: () => activity?.health() ?? { status: 'ok', degraded: [] },
    metrics: () => [
      ...(activity?.metrics() ?? []),
      {
        name: 'http_requests_total',
        type: 'counter',
        help: 'Requests that were answered, by status.',
        samples: [...answers].map(([status, value]) => ({ labels: { status }, value }))
      }
    ]
  }
}

function fail(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  gone: boolean
): void {
  if (gone) return
  const { status, error: description } = failureOf(error)
  if (status === 500) context.onError?.(error)
  if (response.headersSent) {
    response.destroy()
    return
  }
  // The rest of a refused body is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close')
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  sendJson(response, status, { error: description })
}

function findRoute(method: string, path: string): { route: Route; parameter: string } {
  let known = false
  for (const route of routes) {
    const match = route.path.exec(path)
    if (match === null) continue
    known = true
    if (route.method === method) return { route, parameter: decode(match[1] ?? '') }
  }
  if (known) throw new LedgerError('METHOD_NOT_ALLOWED', `${method.slice(0, 16)} is not for ${path.slice(0, 80)}`)
  throw new LedgerError('NOT_FOUND', `no resource ${path.slice(0, 80)}`)
}

function parseUrl(text: string, port: number): URL {
  const url = URL.parse(text, `http://127.0.0.1:${port}`)
  if (url === null) throw new LedgerError('INVALID_ARGUMENT', 'the address of the request is not well formed')
  return url
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new LedgerError('INVALID_ARGUMENT', 'the path is not well encoded')
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new LedgerError('UNAVAILABLE', `port ${port} is taken: choose another, or 0 for any free one`, error)
          : error
      )
    })
    server.listen({ host: '127.0.0.1', port }, () => {
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}
