import { type Backend, type Block, checkFunction, checkNumber, invalidArgument } from '@p2pl/core/backend'
import { Carrier } from './bridge/carrier.ts'
import { type BridgedMessage, Forwarder } from './bridge/forwarder.ts'
import { combine } from './legs/combinator.ts'
import type { Combined } from './legs/control.ts'
import type { Legs } from './legs/legs.ts'
import { checkBackends, checkLegOptions, type LegOptions } from './legs/options.ts'

export type { BridgedMessage } from './bridge/forwarder.ts'

export interface BridgeOptions extends LegOptions {
  /** The topics whose messages cross. */
  readonly topics: readonly string[]
  /**
   * Which content crosses with the messages. `true` (default): payloads that are too large for a signed message, which
   * carries their CID. A function names further content for the payload of each message. `false`: none.
   */
  readonly content?: boolean | ((message: BridgedMessage) => Iterable<Block['cid']>) | undefined
  /** Bytes of messages per second that may cross from one sender, averaged over half a minute. Default 262,144. */
  readonly bytesPerSecond?: number | undefined
  /** The same limit for content. Default 4 MiB. */
  readonly contentBytesPerSecond?: number | undefined
  /** Largest content that crosses, in bytes. Default 256 MiB. */
  readonly maxContentBytes?: number | undefined
  /**
   * Maximum bytes that the bridge leaves in the stores of its backends. Content that was carried longest ago is removed
   * first. Default 1 GiB.
   */
  readonly maxStoredBytes?: number | undefined
  /**
   * If there are other bridges, a message waits up to this many milliseconds, so that only one bridge carries it. 0 means
   * no wait. Default 100.
   */
  readonly spread?: number | undefined
}

const names = [
  'topics',
  'content',
  'bytesPerSecond',
  'contentBytesPerSecond',
  'maxContentBytes',
  'maxStoredBytes',
  'spread'
] as const
const mebibyte = 1_048_576

/**
 * A peer on two networks that carries messages and content between them, each once, while it runs. As a backend it reads from
 * both, publishes on both and stores on both.
 *
 * @throws `INVALID_ARGUMENT` when a backend or an option is wrong; `UNSUPPORTED` when the backends have no messages in common.
 */
export function bridge(a: Backend, b: Backend, options: BridgeOptions): Combined {
  checkBackends('bridge', [a, b])
  const leg = checkLegOptions('bridge', options ?? {}, names)
  const topics = checkTopics(options?.topics)
  const { content = true } = options
  if (typeof content !== 'boolean') checkFunction('bridge', 'content', content)
  const number = (name: (typeof names)[number], min: number, otherwise: number): number =>
    checkNumber('bridge', name, options[name], { min }, otherwise)
  const settings = {
    bytesPerSecond: number('bytesPerSecond', 1, 262_144),
    contentBytesPerSecond: number('contentBytesPerSecond', 1, 4 * mebibyte),
    maxContentBytes: number('maxContentBytes', 0, 256 * mebibyte),
    maxStoredBytes: number('maxStoredBytes', 0, 1_024 * mebibyte),
    spread: number('spread', 0, 100)
  }
  const begin = async (legs: Legs, onWarning: (message: string) => void): Promise<() => Promise<void>> => {
    const life = new AbortController()
    const { signal } = life
    const { bytesPerSecond, contentBytesPerSecond, maxContentBytes, maxStoredBytes, spread } = settings
    const carrier =
      content === false
        ? undefined
        : new Carrier({
            legs,
            signal,
            bytesPerSecond: contentBytesPerSecond,
            maxContentBytes,
            maxStoredBytes,
            onWarning
          })
    const forwarder = new Forwarder({
      legs,
      topics,
      signal,
      carrier,
      content: typeof content === 'function' ? content : undefined,
      bytesPerSecond,
      spread,
      random: leg.random,
      onWarning
    })
    await forwarder.open()
    return async () => {
      life.abort(new Error('the bridge was stopped'))
    }
  }
  return combine('bridge', [a, b], { spread: 'all', quorum: 1, stagger: 0, options: leg, needs: 'messages', begin })
}

function checkTopics(topics: readonly string[] | undefined): readonly string[] {
  if (
    Array.isArray(topics) &&
    topics.length > 0 &&
    topics.every((topic) => typeof topic === 'string' && topic !== '')
  ) {
    return [...new Set(topics)]
  }
  throw invalidArgument(
    'bridge',
    'bridge: topics must be a list with the names of the topics that cross, such as ["news"]'
  )
}
