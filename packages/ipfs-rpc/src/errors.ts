import { abortError, isP2plError, P2plError, type ErrorCode } from '@p2pl/core/backend'

/** The reason of the signal that fires when the backend stops. */
export const stopped: Error = new Error('the backend was stopped')

export const backendName = 'ipfs-rpc'

/** An answer of the daemon other than 200, or an error it reported after its first bytes. */
export class RpcStatusError extends Error {
  override readonly name: string = 'RpcStatusError'
  /** HTTP status; 200 when the daemon reported the error after it had begun to answer. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function failure(
  code: ErrorCode,
  operation: string,
  message: string,
  extra: { cause?: unknown; retryable?: boolean } = {}
): P2plError {
  return new P2plError({ code, operation, message, backend: backendName, ...extra })
}

export function notRunning(operation: string): P2plError {
  return failure('NOT_RUNNING', operation, `${operation} was called before start had resolved or after stop`)
}

/** Makes the one error type of whatever a call failed with. */
export function classify(operation: string, error: unknown, signal?: AbortSignal): P2plError {
  if (isP2plError(error)) return error
  if (signal?.aborted === true)
    return signal.reason === stopped ? notRunning(operation) : abortError(operation, signal, backendName)
  if (error instanceof RpcStatusError) return classifyStatus(operation, error)
  return classifyTransport(operation, error)
}

// The daemon's errors are texts; each of these was seen in Kubo 0.43.1 or stands in its source.
const texts: readonly (readonly [RegExp, ErrorCode, { remedy?: string; retryable?: boolean }?])[] = [
  [/validation ignored/, 'OVERLOADED'],
  [/no connected peers|failed to find any peer in table|no peers? (?:in|connected)|insufficient peers/, 'NO_PEERS'],
  [
    /pubsub.*not enabled|pubsub.*disabled/i,
    'UNSUPPORTED',
    { remedy: 'ipfs config --json Pubsub.Enabled true, then restart the daemon' }
  ],
  [
    /must be run in online mode|not online|online mode/,
    'UNSUPPORTED',
    { remedy: 'start the daemon without --offline' }
  ],
  [
    /Provide\.Enabled is set to 'false'/,
    'UNSUPPORTED',
    { remedy: 'ipfs config --json Provide.Enabled true, then restart the daemon' }
  ],
  [/context deadline exceeded|request timed out|deadline has elapsed|i\/o timeout/, 'TIMEOUT'],
  [/context canceled|shutting down|node is closing|closed\b.*(?:datastore|pebble|leveldb)/, 'UNREACHABLE'],
  [/no space left|disk quota|storage limit|too many open files|no addresses available on device/, 'STORAGE'],
  [/over 2\s?MiB|block is too big|size limit/i, 'TOO_LARGE'],
  [/^pinned\b|: pinned\b|block is pinned|pinned: /, 'PINNED'],
  [/not found|could not find|no such (?:block|key|record)/, 'NOT_FOUND'],
  [
    /failed to dial|all dials failed|dial backoff|no good addresses|no addresses|connect .* failure|gater disallows/,
    'UNREACHABLE'
  ],
  [/someone else has the lock|repo\.lock/, 'LOCKED'],
  [
    /invalid (?:cid|path|peer id|multiaddr|multihash)|failed to parse|unrecognized (?:hash|multihash)|unrecognized and disallowed/i,
    'INVALID_ARGUMENT'
  ]
]

function classifyStatus(operation: string, error: RpcStatusError): P2plError {
  const { status, message } = error
  const fail = (code: ErrorCode, text: string, retryable?: boolean): P2plError =>
    failure(code, operation, text, { cause: error, ...(retryable === undefined ? {} : { retryable }) })
  if (status === 401 || status === 403)
    return fail(
      'UNAUTHORIZED',
      `the daemon refused ${operation} (${status} ${message}): set "authorization" to what API.Authorizations of the daemon allows`
    )
  if (status === 404 || status === 405)
    return fail(
      'PROTOCOL',
      `there is no Kubo RPC API here (${status} for ${operation}): check the url and its path`,
      false
    )
  if (status === 408 || status === 504) return fail('TIMEOUT', `${operation}: ${status} ${message}`)
  if (status === 429) return fail('OVERLOADED', `${operation}: ${status} ${message}`)
  if (status === 502 || status === 503) return fail('UNREACHABLE', `${operation}: ${status} ${message}`)
  for (const [pattern, code, more] of texts) {
    if (!pattern.test(message)) continue
    const remedy = more?.remedy === undefined ? '' : `; remedy: ${more.remedy}`
    return fail(code, `the daemon refused ${operation}: ${message}${remedy}`, more?.retryable)
  }
  return fail('ENGINE', `the daemon failed at ${operation}: ${message}`)
}

const certificateCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_CERT|HOSTNAME_MISMATCH|ERR_SSL|ERR_OSSL|EPROTO/

function classifyTransport(operation: string, error: unknown): P2plError {
  const code = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  if (code.startsWith('HPE_'))
    return failure('PROTOCOL', operation, `the answer to ${operation} is not HTTP: ${text}`, { cause: error })
  if (certificateCodes.test(code))
    return failure(
      'UNREACHABLE',
      operation,
      `no TLS connection for ${operation}: ${text}; check the url and "tls.ca"`,
      {
        cause: error,
        retryable: false
      }
    )
  if (code === 'EACCES' || code === 'EPERM')
    return failure('UNAUTHORIZED', operation, `this user may not open the daemon's socket: ${text}`, { cause: error })
  return failure('UNREACHABLE', operation, `the daemon cannot be reached for ${operation}: ${text || code}`, {
    cause: error
  })
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}
