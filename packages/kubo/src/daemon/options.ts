/** How far a managed daemon reaches. */
export type DaemonProfile = 'closed' | 'lan' | 'public'

export interface DaemonOptions {
  /** The folder of its repo, created on first use. It belongs to one daemon at a time. */
  readonly repo: string
  /**
   * `closed` (default): listens on loopback, knows nobody but who is given or connected to. `lan`: all interfaces and
   * mDNS, nothing public. `public`: the public network with the daemon's own defaults.
   */
  readonly profile?: DaemonProfile | undefined
  /** Path of the `ipfs` binary. Default: `KUBO_BINARY`, then `ipfs` in PATH, then the npm package `kubo`. */
  readonly binary?: string | undefined
  /** Less memory, fewer connections, no serving of DHT queries to the public. Default false. */
  readonly lowResource?: boolean | undefined
  /** Multiaddrs to listen on. Default by profile, with ports that the system chooses. */
  readonly listen?: readonly string[] | undefined
  /** Multiaddrs with `/p2p/<id>` to connect to at the start. Default: none, the public ones for `public`. */
  readonly bootstrap?: readonly string[] | undefined
  /** 64 hex digits that all of a private network share; no others can connect. */
  readonly swarmKey?: string | undefined
  /** Connections are trimmed to `low` when there are more than `high`. */
  readonly connections?: { readonly low: number; readonly high: number } | undefined
  /** When the store is larger, garbage is collected (with `gcPeriod`). Such as `10GB`. */
  readonly storageMax?: string | undefined
  /** Collect garbage by itself that often: removes all that is not pinned. Such as `1h`. Default: never by itself. */
  readonly gcPeriod?: string | undefined
  /** Merged last over the daemon's configuration file, for everything that has no option here. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** How the API is reached. Default `socket`, where the system has unix sockets, else `tcp` on loopback with a secret. */
  readonly api?: 'socket' | 'tcp' | undefined
  /** Milliseconds for a start, migrations of the repo included. Default 60,000. */
  readonly startTimeout?: number | undefined
  /**
   * Milliseconds for which the running daemon may fail to answer; then it is ended and started again, whatever ails it.
   * Noticed up to `2 × probeInterval + probeTimeout` later, and never before the third look that failed. 100 to
   * 3,600,000, default 30,000.
   */
  readonly hangTimeout?: number | undefined
  /** Milliseconds between SIGTERM and SIGKILL when it is stopped. Default 10,000. */
  readonly stopTimeout?: number | undefined
}
