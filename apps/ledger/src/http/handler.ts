import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request and the target of its answer. */
export interface RequestContext {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** Fires when the client has disconnected. */
  readonly signal: AbortSignal
  readonly limits: ApiLimits
}

export interface Handler {
  /** Whether the request needs the token. */
  readonly write: boolean
  handle(context: RequestContext): Promise<void>
}

export interface ApiLimits {
  /** The largest JSON body in bytes. */
  readonly maxJsonBytes: number
  /** Timeout for a JSON body in ms. */
  readonly maxJsonMs: number
  /** The largest document and the largest CAR file in bytes. */
  readonly maxContentBytes: number
  /** Timeout for one of them in ms. */
  readonly maxContentMs: number
  /** The most connections at once. */
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
