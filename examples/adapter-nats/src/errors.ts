import type { Classified } from '@p2pl/core/backend'
import type { Settings } from './options.ts'

/** Codes of JetStream: a limit of the stream, the account or the server is reached. */
const full = new Set([10_002, 10_023, 10_026, 10_027, 10_028, 10_047, 10_054, 10_077])
/** JetStream, or the leader of a stream, is not there now. */
const away = new Set([10_004, 10_008, 10_009])
const disabled = new Set([10_039, 10_076])
const noStream = 10_059

const noJetStream: Classified = {
  code: 'MISSING_DEPENDENCY',
  message:
    'the server has no JetStream, which keeps the content: start it with "nats-server --jetstream", enable it for this account, or set content: false for messages alone'
}
const silent: Classified = {
  code: 'UNREACHABLE',
  message:
    'JetStream does not answer: it is starting, or the bucket of this peer was removed; in that case start the peer again'
}

/** Whether the server refuses a subject to this user. */
export function isDenied(error: unknown): boolean {
  return reasonOf(error)?.name === 'PermissionViolationError'
}

/** What an error of the client library means. Its classes may come from another installed version, so their names decide. */
export function classifier({ servers }: Settings): (error: unknown, operation: string) => Classified | undefined {
  const where = servers.map(withoutSecrets).join(', ')
  return (error, operation) => {
    const { name, message = '', code } = (reasonOf(error) ?? {}) as Partial<Error> & { readonly code?: unknown }
    switch (name) {
      case 'AuthorizationError':
      case 'UserAuthenticationExpiredError':
        return {
          code: 'UNAUTHORIZED',
          message: `the server at ${where} refuses these credentials (${message}): set connection.token, or connection.user and connection.pass`
        }
      case 'PermissionViolationError':
        return { code: 'UNAUTHORIZED', message: `${message}: give this user the permission on the server` }
      case 'JetStreamApiError':
      case 'StreamNotFoundError':
        return ofJetStream(Number(code), message)
      case 'JetStreamNotEnabled':
      case 'NoResponders':
        return operation === 'start' ? noJetStream : silent
      case 'TimeoutError':
        return { code: 'TIMEOUT', message: 'the NATS server did not answer in time' }
      case 'ConnectionError':
        return {
          code: 'UNREACHABLE',
          message: `no NATS server answers at ${where} (${message}): start one with "nats-server --jetstream", or set servers`
        }
      case 'RequestError':
      case 'ClosedConnectionError':
      case 'JetStreamStatusError':
        return { code: 'UNREACHABLE', message: `the NATS server did not answer: ${message}` }
      default:
        return undefined
    }
  }
}

function ofJetStream(code: number, message: string): Classified | undefined {
  if (disabled.has(code)) return noJetStream
  if (away.has(code)) return { code: 'UNREACHABLE', message: `JetStream is not ready: ${message}` }
  if (code === noStream) return silent
  if (full.has(code))
    return {
      code: 'STORAGE',
      message: `the server stores no more for this peer (${message}): raise maxBytes or the limits of the server, or unpin and collect`
    }
  return undefined
}

/** A request that failed says why in its cause. */
function reasonOf(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  return error.name === 'RequestError' && error.cause instanceof Error ? error.cause : error
}

/** A URL may have a password in it. */
function withoutSecrets(server: string): string {
  return server.replace(/\/\/.*@/, '//')
}
