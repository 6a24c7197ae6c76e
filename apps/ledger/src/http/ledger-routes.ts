import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { LedgerError } from '../errors.ts'
import { checkKeys } from '../rules/fields.ts'
import type { LedgerService, Written } from '../service/service.ts'
import { type BodyLimits, readBody, readJson } from './body.ts'
import { type RequestContext, sendJson } from './handler.ts'
import { optional, parsePeer, parseQuery, parseTransfer } from './parse.ts'
import { get, post, type Route } from './router.ts'

interface WithService {
  readonly service: LedgerService
}

/** The requests about a ledger. */
export const ledgerRoutes: readonly Route<WithService>[] = [
  get(/^\/v1\/status$/, async (context) => {
    sendJson(context.response, 200, await context.service.status())
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
  }),
  post(/^\/v1\/backends\/([^/]+)$/, async (context, name) => {
    const body = checkKeys('the body', await readJson(context.request, jsonLimits(context)), ['use'])
    const use = optional('use', body['use'], 'boolean')
    if (use === undefined) throw new LedgerError('INVALID_ARGUMENT', 'use must be true or false')
    await context.service.useBackend(name, use)
    sendJson(context.response, 200, { backends: (await context.service.status()).backends })
  })
]

function jsonLimits({ limits }: RequestContext): BodyLimits {
  return { maxBytes: limits.maxJsonBytes, maxMs: limits.maxJsonMs }
}

function contentLimits({ limits }: RequestContext): BodyLimits {
  return { maxBytes: limits.maxContentBytes, maxMs: limits.maxContentMs }
}

function sendWritten(response: ServerResponse, written: Written): void {
  sendJson(response, written.created ? 201 : 200, written.entry)
}

async function sendContent(context: RequestContext & WithService, cid: string): Promise<void> {
  const { response, service, signal, url } = context
  const entry = url.searchParams.get('entry') ?? undefined
  const { mediaType, size, body } = await service.content(cid, { signal, entry })
  await sendStream(
    response,
    {
      'content-type': mediaType,
      ...(size === undefined ? {} : { 'content-length': size }),
      // Documents of strangers are shown under the origin of this API, so they must have no rights there.
      'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff'
    },
    body
  )
}

/** Sends the head with the first chunk, so that an earlier failure can still be answered as an error. */
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
