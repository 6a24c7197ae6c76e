import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request, and where its answer goes. */
export interface RequestContext {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** Fires when the client is gone. */
  readonly signal: AbortSignal
  readonly limits: ApiLimits
}

export interface Handler {
  /** Whether it needs the token. */
  readonly write: boolean
  handle(context: RequestContext): Promise<void>
}

export interface ApiLimits {
  /** Largest JSON body, bytes. */
  readonly maxJsonBytes: number
  /** How long a JSON body may take, ms. */
  readonly maxJsonMs: number
  /** Largest document, and largest CAR file, bytes. */
  readonly maxContentBytes: number
  /** How long one of these may take, ms. */
  readonly maxContentMs: number
  /** Connections at once. */
  readonly maxConnections: number
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`)
}

export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  response.end(text)
}
