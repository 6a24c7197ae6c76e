import { type ErrorCode, isP2plError } from '@p2pl/core'
import { failure } from '../errors.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

export interface Request {
  readonly method: Method
  readonly url: string
  readonly accessToken: string
  readonly timeout: number
  readonly signal: AbortSignal
  readonly body?: unknown
}

const maxAnswerBytes = 1024 * 1024
const operation = 'replication'

/** Makes one call. Returns the JSON of the answer, or `undefined` if it has none. Throws typed errors. */
export async function request({ method, url, accessToken, timeout, signal, body }: Request): Promise<unknown> {
  const late = AbortSignal.timeout(timeout)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      body: body === undefined ? null : JSON.stringify(body),
      // A redirect would send the token to another place.
      redirect: 'error',
      signal: AbortSignal.any([signal, late])
    })
    text = await textOf(response)
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (isP2plError(cause)) throw cause
    if (late.aborted)
      throw failure('TIMEOUT', operation, `the pinning service did not answer within ${timeout} ms`, cause)
    throw failure('UNREACHABLE', operation, 'the pinning service cannot be reached', cause)
  }
  const value = parse(text)
  if (response.ok) return value
  const { error } = (value ?? {}) as { error?: { reason?: unknown; details?: unknown } }
  const said = [error?.reason, error?.details].filter((part) => typeof part === 'string').join(': ')
  throw failure(
    codeOf(response.status),
    operation,
    `the pinning service answered ${response.status}: ${said.slice(0, 200)}`
  )
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'UNAUTHORIZED'
  if (status === 404) return 'NOT_FOUND'
  if (status === 429) return 'OVERLOADED'
  if (status === 507 || status === 409) return 'STORAGE'
  return status >= 500 ? 'UNREACHABLE' : 'PROTOCOL'
}

/** The body, limited in size. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxAnswerBytes)
      throw failure('TOO_LARGE', operation, `the answer has more than ${maxAnswerBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
