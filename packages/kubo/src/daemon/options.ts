/** Which peers a managed daemon can reach. */
export type DaemonProfile = 'closed' | 'lan' | 'public'

export interface DaemonOptions {
  /** The folder of the daemon's repo, created on first use. One daemon at a time can use it. */
  readonly repo: string
  /**
   * `closed` (default): listens on loopback, and knows only peers that are configured or connected to. `lan`: all
   * interfaces and mDNS, nothing public. `public`: the public network with the daemon's own defaults.
   */
  readonly profile?: DaemonProfile | undefined
  /** Path of the `ipfs` binary. Default: `KUBO_BINARY`, then `ipfs` in PATH, then the npm package `kubo`. */
  readonly binary?: string | undefined
  /** Use less memory and fewer connections, and do not serve DHT queries of the public. Default false. */
  readonly lowResource?: boolean | undefined
  /** Multiaddrs to listen on. Default by profile, with ports that the system chooses. */
  readonly listen?: readonly string[] | undefined
  /** Multiaddrs with `/p2p/<id>` to connect to at the start. Default: none; the public ones for `public`. */
  readonly bootstrap?: readonly string[] | undefined
  /** A key of 64 hex digits that all peers of a private network share; no other peers can connect. */
  readonly swarmKey?: string | undefined
  /** When there are more than `high` connections, they are trimmed to `low`. */
  readonly connections?: { readonly low: number; readonly high: number } | undefined
  /** When the store is larger than this, garbage is collected (with `gcPeriod`). For example `10GB`. */
  readonly storageMax?: string | undefined
  /**
   * How often to collect garbage automatically, which removes everything that is not pinned. For example `1h`. Default:
   * never.
   */
  readonly gcPeriod?: string | undefined
  /** Merged last over the daemon's configuration file, for settings that have no option here. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** How to reach the API. Default `socket` if the system has unix sockets, otherwise `tcp` on loopback with a secret. */
  readonly api?: 'socket' | 'tcp' | undefined
  /** Milliseconds for a start, including migrations of the repo. Default 60,000. */
  readonly startTimeout?: number | undefined
  /**
   * Milliseconds for which the running daemon may fail to answer, for any reason. After that it is ended and restarted.
   * This is noticed up to `2 × probeInterval + probeTimeout` later, and never before the third failed look. 100 to
   * 3,600,000, default 30,000.
   */
  readonly hangTimeout?: number | undefined
  /** Milliseconds between SIGTERM and SIGKILL when the daemon is stopped. Default 10,000. */
  readonly stopTimeout?: number | undefined
}
