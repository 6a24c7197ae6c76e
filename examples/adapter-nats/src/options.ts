import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { checkFlag, checkKeys, checkNumber, P2plError } from '@p2pl/core/backend'

const ofConnection = ['authenticator', 'inboxPrefix', 'name', 'pass', 'timeout', 'tls', 'token', 'user'] as const

export interface Options {
  /** Default `nats://127.0.0.1:4222`. Several are servers of one cluster. */
  readonly servers?: string | readonly string[] | undefined
  /** Credentials and TLS, as `@nats-io/transport-node` takes them: `token`, `user` and `pass`, `authenticator`, `tls`. */
  readonly connection?: Pick<NodeConnectionOptions, (typeof ofConnection)[number]> | undefined
  /** Only peers of one network hear each other. All its subjects, streams and buckets begin with this word. Default `p2pl`. */
  readonly network?: string | undefined
  /** `false`: messages alone. The server needs no JetStream, and apps take their content from another backend. Default true. */
  readonly content?: boolean | undefined
  /** A folder for the id, the pins and the secrets of this peer. Without it, all of these and its content end with the process. */
  readonly dir?: string | undefined
  /** Most bytes that the bucket of this peer may have on the server. Default: the limits of the server. */
  readonly maxBytes?: number | undefined
  /** How many servers of a cluster keep the content: 1 (default) to 5. */
  readonly replicas?: number | undefined
}

export interface Settings {
  readonly servers: readonly string[]
  readonly connection: NonNullable<Options['connection']>
  readonly network: string
  readonly content: boolean
  readonly dir: string | undefined
  /** -1 for no limit, as JetStream has it. */
  readonly maxBytes: number
  readonly replicas: number
}

/** Throws `INVALID_ARGUMENT` that names what is wrong: users read this message. */
export function settingsOf(options: Options = {}): Settings {
  checkKeys('nats', options, ['servers', 'connection', 'network', 'content', 'dir', 'maxBytes', 'replicas'])
  const { connection = {}, content, dir, network = 'p2pl' } = options
  checkKeys('nats connection', connection, ofConnection)
  const servers = [options.servers ?? 'nats://127.0.0.1:4222'].flat()
  if (servers.length === 0 || servers.some((server) => typeof server !== 'string' || server === ''))
    throw invalid('servers must be a URL or a list of URLs, such as nats://127.0.0.1:4222')
  if (typeof network !== 'string' || !/^[\w-]{1,64}$/.test(network))
    throw invalid('network must be a word of at most 64 letters, digits, "-" and "_"')
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw invalid('dir must be the path of a folder')
  checkFlag('nats', 'content', content)
  const maxBytes = checkNumber('nats', 'maxBytes', options.maxBytes, { min: 1, integer: true }, -1)
  const replicas = checkNumber('nats', 'replicas', options.replicas, { min: 1, max: 5, integer: true }, 1)
  return { servers, connection, network, content: content ?? true, dir, maxBytes, replicas }
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation: 'nats', message: `nats: ${message}` })
}
