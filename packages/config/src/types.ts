import type { TimeoutOptions } from '@p2pl/layers/timeout'
import type { RetryOptions } from '@p2pl/layers/retry'

/** What `retry` takes from a configuration; see `@p2pl/layers/retry`. */
export type RetryConfig = Omit<RetryOptions, 'budget' | 'clock' | 'random'>
/** What `timeout` takes from a configuration, in milliseconds; see `@p2pl/layers/timeout`. */
export type TimeoutConfig = Omit<TimeoutOptions, 'clock'>

/** Which adapter, and what it is given. */
export interface BackendInput {
  /** `helia`, `memory`, `ipfs-rpc`, `bittorrent`, the name of another module, or a path relative to the file that says so. */
  use?: string | undefined
  /** The adapter's own options; the adapter checks them. */
  options?: Readonly<Record<string, unknown>> | undefined
}

/**
 * One adapter, by name or with its options, or several: the first that works is used (`failover` of `@p2pl/layers`). Names
 * with commas between them are a list: `helia,bittorrent`.
 */
export type BackendSetting = string | BackendInput | readonly (string | BackendInput)[]

/** What a file, the environment or a caller may say. Everything is optional. */
export interface ConfigInput {
  /** For messages and data, unless one of the two is given. Default `helia`. */
  backend?: BackendSetting | undefined
  /** For messages only. */
  messages?: BackendSetting | undefined
  /** For data only. */
  data?: BackendSetting | undefined
  /** Repeat calls that fail with a retryable error. `true` (default) for the layer's own defaults. */
  retry?: boolean | RetryConfig | undefined
  /** How long each attempt of a call may take, next to the peer's own timeout for the whole of it. Default `false`. */
  timeout?: false | TimeoutConfig | undefined
}

export interface BackendChoice {
  /** A short name, a module name, or an absolute path or URL. */
  readonly use: string
  readonly options: Readonly<Record<string, unknown>>
  /** Used in this order where `use` does not work. */
  readonly fallbacks?: readonly BackendChoice[] | undefined
}

/** Everything decided, all sources merged. */
export interface Config {
  /** Equal to `data` where one backend serves both. */
  readonly messages: BackendChoice
  readonly data: BackendChoice
  /** `undefined`: no retries. */
  readonly retry: RetryConfig | undefined
  readonly timeout: TimeoutConfig | undefined
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** The folder from which modules are looked up: that of the file, or where the search for one began. */
  readonly directory: string
}

/** Gives a configuration file its types: `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}
