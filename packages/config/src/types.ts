import type { TimeoutOptions } from '@p2pl/layers/timeout'
import type { RetryOptions } from '@p2pl/layers/retry'

/** What `retry` takes from a configuration; see `@p2pl/layers/retry`. */
export type RetryConfig = Omit<RetryOptions, 'budget' | 'clock' | 'random'>
/** What `timeout` takes from a configuration, in milliseconds; see `@p2pl/layers/timeout`. */
export type TimeoutConfig = Omit<TimeoutOptions, 'clock'>

/** An adapter and its options. */
export interface BackendInput {
  /** `helia`, `memory`, `ipfs-rpc`, `bittorrent`, the name of another module, or a path relative to the file that contains it. */
  use?: string | undefined
  /** The adapter's own options, which the adapter checks. */
  options?: Readonly<Record<string, unknown>> | undefined
}

/**
 * One adapter, by name or with its options, or several, of which the first that works is used (`failover` of
 * `@p2pl/layers`). Names separated by commas are a list: `helia,bittorrent`.
 */
export type BackendSetting = string | BackendInput | readonly (string | BackendInput)[]

/** The settings that a file, the environment or a caller may give. All are optional. */
export interface ConfigInput {
  /** For messages and data, unless `messages` or `data` is given. Default `helia`. */
  backend?: BackendSetting | undefined
  /** For messages only. */
  messages?: BackendSetting | undefined
  /** For data only. */
  data?: BackendSetting | undefined
  /** Repeat calls that fail with a retryable error. `true` (default) uses the layer's own defaults. */
  retry?: boolean | RetryConfig | undefined
  /** Time limits for each attempt of a call, in addition to the peer's own timeout for the whole call. Default `false`. */
  timeout?: false | TimeoutConfig | undefined
}

export interface BackendChoice {
  /** A short name, a module name, or an absolute path or URL. */
  readonly use: string
  readonly options: Readonly<Record<string, unknown>>
  /** Used in this order if `use` does not work. */
  readonly fallbacks?: readonly BackendChoice[] | undefined
}

/** The final configuration, merged from all sources. */
export interface Config {
  /** Equal to `data` if one backend serves both. */
  readonly messages: BackendChoice
  readonly data: BackendChoice
  /** `undefined`: no retries. */
  readonly retry: RetryConfig | undefined
  readonly timeout: TimeoutConfig | undefined
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** The folder from which modules are resolved: the folder of the file, or the one in which the search began. */
  readonly directory: string
}

/** Gives a configuration file its types: `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}
