import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { LedgerError } from '../errors.ts'
import type { NodeEvent } from '../node/node-events.ts'
import { checkKeys, parseAmount } from '../rules/fields.ts'
import type { LedgerService, TransferInput, Written } from '../service/service.ts'
import type { HealthView, PeerView } from '../service/views.ts'
import { type BodyLimits, readBody, readJson } from './body.ts'
import type { EventStreams } from './event-stream.ts'
import { nodeMetrics } from './node-metrics.ts'
import { formatMetrics, type Metric } from './prometheus.ts'

interface RouteContext {
  readonly service: LedgerService
  readonly events: EventStreams
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** Fires when the client is gone. */
  readonly signal: AbortSignal
  readonly limits: ApiLimits
  readonly activity: ApiActivity
}

/** What the API reports about the node itself. */
export interface ApiActivity {
  health(): HealthView
  metrics(): readonly Metric[]
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

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: RegExp
  readonly write: boolean
  handle(context: RouteContext, parameter: string): Promise<void>
}

const get = (path: RegExp, handle: Route['handle']): Route => ({ method: 'GET', path, write: false, handle })
const post = (path: RegExp, handle: Route['handle']): Route => ({ method: 'POST', path, write: true, handle })

export const routes: readonly Route[] = [
  get(/^\/v1\/status$/, async (context) => {
    sendJson(context.response, 200, await context.service.status())
  }),
  get(/^\/v1\/health$/, async (context) => {
    const health = context.activity.health()
    const { entries, connections, missing, damaged } = await context.service.status()
    const body = { ...health, entries, connections, missing, damaged }
    sendJson(context.response, health.status === 'ok' ? 200 : 503, body)
  }),
  get(/^\/v1\/metrics$/, async (context) => {
    const text = formatMetrics([...nodeMetrics(await context.service.status()), ...context.activity.metrics()])
    sendText(context.response, 200, 'text/plain; version=0.0.4; charset=utf-8', text)
  }),
  get(/^\/v1\/genesis$/, async (context) => {
    sendJson(context.response, 200, await context.service.genesis())
  }),
  get(/^\/v1\/balances$/, async (context) => {
    sendJson(context.response, 200, { balances: await context.service.balances() })
  }),
  get(/^\/v1\/balances\/([^/]+)$/, async (context, account) => {
    sendJson(context.response, 200, await context.service.balance(account))
  }),
  get(/^\/v1\/entries$/, async (context) => {
    sendJson(context.response, 200, await context.service.entries(parseQuery(context.url.searchParams)))
  }),
  get(/^\/v1\/entries\/([^/]+)$/, async (context, cid) => {
    sendJson(context.response, 200, await context.service.entry(cid))
  }),
  get(/^\/v1\/content\/([^/]+)$/, sendContent),
  get(/^\/v1\/blocks\/([^/]+)$/, async ({ response, service, signal }, cid) => {
    const bytes = await service.block(cid, { signal })
    response.writeHead(200, {
      'content-type': 'application/vnd.ipld.raw',
      'content-length': bytes.byteLength,
      'x-content-type-options': 'nosniff'
    })
    response.end(bytes)
  }),
  get(/^\/v1\/events$/, async (context) => {
    const { root, entries } = await context.service.status()
    const first: NodeEvent = { type: 'digest', data: { root, entries } }
    context.events.open(context.response, first)
  }),
  get(/^\/v1\/export$/, async (context) => {
    const { response, service, signal } = context
    await sendStream(response, { 'content-type': 'application/vnd.ipld.car' }, service.exportCar({ signal }))
  }),
  post(/^\/v1\/transfers$/, async (context) => {
    const input = parseTransfer(await readJson(context.request, jsonLimits(context)))
    sendWritten(context.response, await context.service.transfer(input))
  }),
  post(/^\/v1\/records$/, async (context) => {
    const { request, response, url } = context
    const content = readBody(request, contentLimits(context))
    const written = await context.service.record({
      name: url.searchParams.get('name') ?? '',
      reference: url.searchParams.get('reference') ?? undefined,
      mediaType: request.headers['content-type'] ?? 'application/octet-stream',
      content
    })
    sendWritten(response, written)
  }),
  post(/^\/v1\/import$/, async (context) => {
    const source = readBody(context.request, contentLimits(context))
    sendJson(context.response, 200, await context.service.importCar(source, { signal: context.signal }))
  }),
  post(/^\/v1\/connect$/, async (context) => {
    const peer = parsePeer(await readJson(context.request, jsonLimits(context)))
    await context.service.connect(peer, { signal: context.signal })
    sendJson(context.response, 200, { connected: peer.id })
  })
]

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`)
}

function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  response.end(text)
}

function jsonLimits({ limits }: RouteContext): BodyLimits {
  return { maxBytes: limits.maxJsonBytes, maxMs: limits.maxJsonMs }
}

function contentLimits({ limits }: RouteContext): BodyLimits {
  return { maxBytes: limits.maxContentBytes, maxMs: limits.maxContentMs }
}

function sendWritten(response: ServerResponse, written: Written): void {
  sendJson(response, written.created ? 201 : 200, written.entry)
}

async function sendContent(context: RouteContext, cid: string): Promise<void> {
  const { response, service, signal, url } = context
  const entry = url.searchParams.get('entry') ?? undefined
  const { mediaType, size, body } = await service.content(cid, { signal, entry })
  await sendStream(
    response,
    {
      'content-type': mediaType,
      ...(size === undefined ? {} : { 'content-length': size }),
      // Documents of strangers are shown under the origin of this API, so they get no rights in it.
      'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff'
    },
    body
  )
}

/** Sends the head with the first chunk, so that an earlier failure is still answered as an error. */
async function sendStream(
  response: ServerResponse,
  headers: Record<string, string | number>,
  body: AsyncIterable<Uint8Array>
): Promise<void> {
  const iterator = body[Symbol.asyncIterator]()
  const first = await iterator.next()
  response.writeHead(200, headers)
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    if (first.done === true) return
    yield first.value
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  await pipeline(Readable.from(rest(), { objectMode: false }), response)
}

function parseQuery(parameters: URLSearchParams): Parameters<LedgerService['entries']>[0] {
  for (const key of parameters.keys())
    if (!['limit', 'after', 'reverse', 'account'].includes(key))
      throw new LedgerError('INVALID_ARGUMENT', `unknown parameter "${key.slice(0, 40)}"`)
  const limit = parameters.get('limit')
  return {
    limit: limit === null ? undefined : Number(limit),
    after: parameters.get('after') ?? undefined,
    account: parameters.get('account') ?? undefined,
    reverse: ['true', '1', ''].includes(parameters.get('reverse') ?? 'false')
  }
}

function parseTransfer(body: Record<string, unknown>): TransferInput {
  const map = checkKeys('the body', body, ['to', 'amount', 'memo', 'reference', 'force', 'sequence'])
  const { to, amount, memo, reference, force, sequence } = map
  if (typeof to !== 'string') throw new LedgerError('INVALID_ARGUMENT', 'to must be an account id (12D3KooW…)')
  const text = typeof amount === 'number' && Number.isSafeInteger(amount) ? String(amount) : amount
  if (typeof text !== 'string')
    throw new LedgerError('INVALID_ARGUMENT', 'amount must be a whole number, as decimal text when it is large')
  return {
    to,
    amount: parseAmount('amount', text),
    memo: optional('memo', memo, 'string'),
    reference: optional('reference', reference, 'string'),
    force: optional('force', force, 'boolean'),
    sequence: optional('sequence', sequence, 'number')
  }
}

function parsePeer(body: Record<string, unknown>): PeerView {
  const { network, id, addresses } = checkKeys('the body', body, ['network', 'id', 'addresses'])
  if (typeof network !== 'string' || network.length > 64)
    throw new LedgerError('INVALID_ARGUMENT', 'network must be the name of a network, as "self" of a status gives it')
  if (typeof id !== 'string' || id.length > 256) throw new LedgerError('INVALID_ARGUMENT', 'id must be a peer id')
  const valid =
    Array.isArray(addresses) &&
    addresses.length <= 16 &&
    addresses.every((address) => typeof address === 'string' && address.length <= 512)
  if (!valid) throw new LedgerError('INVALID_ARGUMENT', 'addresses must be a list of at most 16 addresses')
  return { network, id, addresses: addresses as string[] }
}

interface Primitives {
  string: string
  boolean: boolean
  number: number
}

function optional<T extends keyof Primitives>(field: string, value: unknown, type: T): Primitives[T] | undefined {
  if (value === undefined) return undefined
  // oxlint-disable-next-line valid-typeof
  if (typeof value !== type) throw new LedgerError('INVALID_ARGUMENT', `${field} must be a ${type}`)
  return value as Primitives[T]
}
