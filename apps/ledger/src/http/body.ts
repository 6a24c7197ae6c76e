import type { IncomingMessage } from 'node:http'
import { LedgerError } from '../errors.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** Timeout for the whole body in ms. */
  readonly maxMs: number
}

/**
 * Yields the body in chunks. Throws `TOO_LARGE` as soon as it exceeds the limit, and `REQUEST_TIMEOUT` when it is not
 * complete in time.
 */
export async function* readBody(request: IncomingMessage, { maxBytes, maxMs }: BodyLimits): AsyncGenerator<Uint8Array> {
  refuseAnnounced(request, maxBytes)
  const expired = Promise.withResolvers<never>()
  expired.promise.catch(() => undefined)
  const timer = setTimeout(() => {
    expired.reject(new LedgerError('REQUEST_TIMEOUT', `the body did not come within ${maxMs / 1_000} s`))
  }, maxMs)
  // The rest of a refused body is dropped with the connection, after the answer.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  let size = 0
  try {
    for (;;) {
      const item = await Promise.race([chunks.next(), expired.promise])
      if (item.done === true) return
      size += item.value.byteLength
      if (size > maxBytes) throw tooLarge(maxBytes)
      yield item.value
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Reads a JSON object. The content type is required, because a form on another site cannot send it. */
export async function readJson(request: IncomingMessage, limits: BodyLimits): Promise<Record<string, unknown>> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new LedgerError('INVALID_ARGUMENT', 'this needs the header "Content-Type: application/json"')
  const chunks: Uint8Array[] = []
  for await (const chunk of readBody(request, limits)) chunks.push(chunk)
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new LedgerError('INVALID_ARGUMENT', 'the body is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LedgerError('INVALID_ARGUMENT', 'the body must be a JSON object')
  return value as Record<string, unknown>
}

function refuseAnnounced(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
}

function tooLarge(maxBytes: number): LedgerError {
  return new LedgerError('TOO_LARGE', `the body has at most ${maxBytes} bytes`)
}

/** Whether the request has a body, or announces one. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}
