import { checkNames, kuboOptionNames, numberWithin } from '@p2pl/kubo/rpc'
import type { KuboOptions } from '@p2pl/kubo'

export interface IpfsRpcOptions extends KuboOptions {
  /** Milliseconds after which a subscription without messages is opened anew. 100 to 3,600,000, default 20,000. */
  readonly silence?: number | undefined
  /** Hours between two provider records of the same content; 0 for one only. Default 22. */
  readonly reprovideInterval?: number | undefined
}

export interface Settings {
  /** What concerns the daemon itself. */
  readonly kubo: KuboOptions
  readonly pubsub: boolean
  readonly silence: number
  /** Milliseconds. */
  readonly reprovideInterval: number
}

/** Throws `INVALID_ARGUMENT`. */
export function parseOptions(options: IpfsRpcOptions): Settings {
  checkNames(options, [...kuboOptionNames, 'silence', 'reprovideInterval'])
  const { silence, reprovideInterval, ...kubo } = options
  return {
    kubo,
    pubsub: options.pubsub ?? true,
    silence: numberWithin('silence', silence, 100, 3_600_000, 20_000),
    reprovideInterval: numberWithin('reprovideInterval', reprovideInterval, 0, 48, 22) * 3_600_000
  }
}
