import { checkKeys, checkNumber, invalidArgument } from '@p2pl/core/backend'
import type { DaemonOptions } from './daemon/options.ts'
import { apiOfRepo, type Authorization, parseTarget, type Target, type TlsOptions } from './rpc/target.ts'

export interface KuboOptions {
  /**
   * Address of the RPC API of a running daemon: `http://127.0.0.1:5001` (the default), `https://host/prefix`,
   * `/ip4/127.0.0.1/tcp/5001`, `/unix/path/to/api.sock`. Cannot be combined with `daemon`.
   */
  readonly url?: string | URL | undefined
  /** `{ bearer }`, `{ basic: { user, password } }`, or the text of a bearer token. */
  readonly authorization?: Authorization | undefined
  /** Headers to send with every call. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** TLS options for `https`. */
  readonly tls?: TlsOptions | undefined
  /** Starts a daemon instead, and supervises it. */
  readonly daemon?: DaemonOptions | undefined
  /** Whether topics are used. Default true; set `false` for a daemon without pubsub. */
  readonly pubsub?: boolean | undefined
  /** Milliseconds that local work of the daemon (put, has, pins …) may take. 100 to 3,600,000, default 30,000. */
  readonly timeout?: number | undefined
  /** Milliseconds between two looks at the daemon. 100 to 60,000, default 2,500. */
  readonly probeInterval?: number | undefined
  /** Milliseconds after which a daemon that does not answer a look counts as lost. 100 to 60,000, default 5,000. */
  readonly probeTimeout?: number | undefined
}

export interface KuboSettings {
  /** The target of a running daemon. */
  readonly target: Target | undefined
  /** The options of a daemon to start. */
  readonly daemon: DaemonOptions | undefined
  readonly pubsub: boolean
  readonly timeout: number
  readonly probeInterval: number
  readonly probeTimeout: number
}

export const kuboOptionNames: readonly (keyof KuboOptions)[] = [
  'url',
  'authorization',
  'headers',
  'tls',
  'daemon',
  'pubsub',
  'timeout',
  'probeInterval',
  'probeTimeout'
]

const externalOnly = ['url', 'authorization', 'headers', 'tls'] as const
const defaultUrl = 'http://127.0.0.1:5001'

/** Throws `INVALID_ARGUMENT` for an unknown option or a wrong value. */
export function parseOptions(options: KuboOptions): KuboSettings {
  checkKeys('kubo', options, kuboOptionNames)
  const { daemon } = options
  if (daemon !== undefined)
    for (const key of externalOnly)
      if (options[key] !== undefined)
        throw invalidArgument(
          'kubo',
          `"${key}" belongs to a daemon that runs already, "daemon" to one that is started: give one of them`
        )
  return {
    target: daemon === undefined ? externalTarget(options) : undefined,
    daemon,
    pubsub: options.pubsub ?? true,
    timeout: checkNumber('kubo', 'timeout', options.timeout, { min: 100, max: 3_600_000 }, 30_000),
    probeInterval: checkNumber('kubo', 'probeInterval', options.probeInterval, { min: 100, max: 60_000 }, 2_500),
    probeTimeout: checkNumber('kubo', 'probeTimeout', options.probeTimeout, { min: 100, max: 60_000 }, 5_000)
  }
}

/** The given address, otherwise the one that the daemon of `IPFS_PATH` wrote down, otherwise the default port. */
function externalTarget({ url, authorization, headers, tls }: KuboOptions): Target {
  const repo = process.env['IPFS_PATH']
  const found = url ?? (repo === undefined ? undefined : apiOfRepo(repo)) ?? defaultUrl
  return parseTarget({ url: found, authorization, headers, tls })
}
