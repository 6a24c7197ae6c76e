import { checkKeys, checkNumber } from '@p2pl/core/backend'
import { type KuboOptions, kuboOptionNames } from '@p2pl/kubo'

export interface IpfsRpcOptions extends KuboOptions {
  /** Milliseconds after which a subscription without messages is opened again. 100 to 3,600,000, default 20,000. */
  readonly silence?: number | undefined
}

export interface Settings {
  /** The options of the daemon itself. */
  readonly kubo: KuboOptions
  readonly pubsub: boolean
  readonly silence: number
}

/** Throws `INVALID_ARGUMENT`. */
export function parseOptions(options: IpfsRpcOptions): Settings {
  checkKeys('ipfsRpc', options, [...kuboOptionNames, 'silence'])
  const { silence, ...kubo } = options
  return {
    kubo,
    pubsub: options.pubsub ?? true,
    silence: checkNumber('ipfsRpc', 'silence', silence, { min: 100, max: 3_600_000 }, 20_000)
  }
}
