import { invalidArgument } from '@p2pl/core/backend'
import type { DaemonOptions } from './daemon/options.ts'
import { apiOfRepo, type Authorization, parseTarget, type Target, type TlsOptions } from './rpc/target.ts'

export interface IpfsRpcOptions {
  /**
   * Where the RPC API of a running daemon is: `http://127.0.0.1:5001` (the default), `https://host/prefix`,
   * `/ip4/127.0.0.1/tcp/5001`, `/unix/path/to/api.sock`. Not together with `daemon`.
   */
  readonly url?: string | URL | undefined
  /** `{ bearer }`, `{ basic: { user, password } }`, or the text of a bearer token. */
  readonly authorization?: Authorization | undefined
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For `https`. */
  readonly tls?: TlsOptions | undefined
  /** Start and look after a daemon of our own instead. */
  readonly daemon?: DaemonOptions | undefined
  /** Whether to use topics. Default true; `false` for a daemon without pubsub that serves data only. */
  readonly pubsub?: boolean | undefined
  /** Milliseconds that local work of the daemon (put, has, pins …) may take. 100 to 3,600,000, default 30,000. */
  readonly timeout?: number | undefined
  /** Milliseconds between two looks at the daemon. 100 to 60,000, default 2,500. */
  readonly probeInterval?: number | undefined
  /** Milliseconds after which a daemon that does not answer a look counts as lost. 100 to 60,000, default 5,000. */
  readonly probeTimeout?: number | undefined
  /** Milliseconds after which a subscription without messages is opened anew. 100 to 3,600,000, default 60,000. */
  readonly silence?: number | undefined
  /** Hours between two announcements of provided content; 0 for never. Default 22. */
  readonly reprovideInterval?: number | undefined
}

export interface Settings {
  /** Of an external daemon. */
  readonly target: Target | undefined
  readonly pubsub: boolean
  readonly timeout: number
  readonly probeInterval: number
  readonly probeTimeout: number
  readonly silence: number
  /** Milliseconds. */
  readonly reprovideInterval: number
}

const defaultUrl = 'http://127.0.0.1:5001'
const known: ReadonlySet<string> = new Set([
  'url',
  'authorization',
  'headers',
  'tls',
  'daemon',
  'pubsub',
  'timeout',
  'probeInterval',
  'probeTimeout',
  'silence',
  'reprovideInterval'
])

export function parseOptions(options: IpfsRpcOptions): Settings {
  for (const key of Object.keys(options))
    if (!known.has(key))
      throw invalidArgument('ipfsRpc', `there is no option "${key}"; there are: ${[...known].join(', ')}`)
  if (options.daemon !== undefined)
    for (const key of ['url', 'authorization', 'headers', 'tls'] as const)
      if (options[key] !== undefined)
        throw invalidArgument(
          'ipfsRpc',
          `"${key}" is for an external daemon and "daemon" for an own one: give one of them`
        )
  return {
    target: options.daemon === undefined ? externalTarget(options) : undefined,
    pubsub: options.pubsub ?? true,
    timeout: within('timeout', options.timeout, 100, 3_600_000, 30_000),
    probeInterval: within('probeInterval', options.probeInterval, 100, 60_000, 2_500),
    probeTimeout: within('probeTimeout', options.probeTimeout, 100, 60_000, 5_000),
    silence: within('silence', options.silence, 100, 3_600_000, 60_000),
    reprovideInterval: within('reprovideInterval', options.reprovideInterval, 0, 48, 22) * 3_600_000
  }
}

/** The address given, else what the daemon of `IPFS_PATH` wrote down, else the default port. */
export function externalTarget(options: Omit<IpfsRpcOptions, 'daemon'>): Target {
  const repo = process.env['IPFS_PATH']
  const url = options.url ?? (repo === undefined ? undefined : apiOfRepo(repo)) ?? defaultUrl
  return parseTarget({ url, authorization: options.authorization, headers: options.headers, tls: options.tls })
}

function within(name: string, value: number | undefined, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback
  if (!Number.isFinite(value) || value < min || value > max)
    throw invalidArgument('ipfsRpc', `"${name}" is a number from ${min} to ${max}, not ${String(value)}`)
  return value
}
