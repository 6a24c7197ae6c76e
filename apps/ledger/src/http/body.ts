import type { IncomingMessage } from 'node:http'
import { LedgerError } from '../errors.ts'

/** The body in chunks; `TOO_LARGE` as soon as it is. */
export async function* readBody(request: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  refuseAnnounced(request, maxBytes)
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

/** A JSON object. The content type is asked for: a form of another site cannot send it. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new LedgerError('INVALID_ARGUMENT', 'this needs the header "Content-Type: application/json"')
  const chunks: Uint8Array[] = []
  for await (const chunk of readBody(request, maxBytes)) chunks.push(chunk)
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
