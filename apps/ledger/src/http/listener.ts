import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { LedgerError } from '../errors.ts'
import { maxDocumentBytes } from '../service/service.ts'
import { hasBody } from './body.ts'
import { Connections } from './connections.ts'
import { checkOrigin, checkToken } from './guard.ts'
import { type ApiLimits, type Handler, type RequestContext, sendJson } from './handler.ts'
import { failureOf } from './status-codes.ts'

export interface ListenerOptions {
  /** Returns the handler of a method and a path. Throws `NOT_FOUND` and `METHOD_NOT_ALLOWED`. */
  readonly find: (method: string, path: string) => Handler
  /** Default 0, which picks a free port. */
  readonly port?: number | undefined
  readonly limits?: Partial<ApiLimits> | undefined
  /** Called with the status of each answer. */
  readonly onAnswer?: ((status: number) => void) | undefined
  /** Receives errors that are not reported to the client. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface Api {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Needed for writing. Each start creates a new one. */
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
/** A connection without traffic for this long (ms) is closed. Event streams have a heartbeat. */
const idleMs = 60_000

/** Starts a server on the loopback interface only, with guards, tokens, limits, and answers to failed requests. */
export async function startListener(options: ListenerOptions): Promise<Api> {
  const token = randomBytes(32).toString('base64url')
  const limits = { ...defaultLimits, ...options.limits }
  const server = createServer({
    maxHeaderSize: 8_192,
    headersTimeout: 10_000,
    // The code that reads a body has its own timeout, and sends an answer.
    requestTimeout: 0,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 2_000
  })
  server.setTimeout(idleMs)
  const connections = new Connections(server, limits.maxConnections)
  const context: ListenerContext = { ...options, limits, connections, token, port: 0 }
  const latest = new WeakMap<Socket, ServerResponse>()
  server.on('request', (request, response) => {
    const { socket } = request
    // Otherwise a thousand requests in one packet would all begin before anything else gets a turn.
    if (latest.get(socket)?.writableEnded === false) socket.destroy()
    if (socket.destroyed) return
    latest.set(socket, response)
    void answer(context, request, response)
  })
  const port = await listen(server, options.port ?? 0)
  context.port = port
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    token,
    close: async () => {
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

interface ListenerContext extends Omit<ListenerOptions, 'limits' | 'port'> {
  readonly limits: ApiLimits
  readonly connections: Connections
  readonly token: string
  port: number
}

async function answer(context: ListenerContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  const { connections, limits } = context
  connections.rank(request.socket, 'served')
  response.on('close', () => {
    gone.abort()
    connections.rank(request.socket, 'idle')
    context.onAnswer?.(response.statusCode)
  })
  // It is no failure of the node when a client disconnects during an answer.
  response.on('error', () => undefined)
  try {
    checkOrigin(request, context.port)
    const url = parseUrl(request.url ?? '/', context.port)
    const handler = context.find(request.method ?? 'GET', url.pathname)
    if (handler.write) {
      checkToken(request, context.token)
      connections.rank(request.socket, 'trusted')
    } else if (hasBody(request)) throw new LedgerError('INVALID_ARGUMENT', 'a GET request has no body')
    const asked: RequestContext = { request, response, url, signal: gone.signal, limits }
    await handler.handle(asked)
  } catch (error) {
    fail(context, request, response, error, gone.signal.aborted)
  }
}

function fail(
  context: ListenerContext,
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

function parseUrl(text: string, port: number): URL {
  const url = URL.parse(text, `http://127.0.0.1:${port}`)
  if (url === null) throw new LedgerError('INVALID_ARGUMENT', 'the address of the request is not well formed')
  return url
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
