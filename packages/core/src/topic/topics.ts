import type { Codec, PublishOptions, Topic, TopicItem, TopicOptions } from '../api/topic.ts'
import { isTopicName, topicRule } from '../define/checks.ts'
import { errorMessage, invalidArgument, P2plError, throwIfAborted } from '../errors.ts'
import { isBytes, plainBytes } from '../toolbox/bytes.ts'
import { timeoutOf } from '../toolbox/countdown.ts'
import { checkKeys, checkWord, describe } from '../toolbox/options.ts'
import type { TopicContext } from './context.ts'
import type { QueuedMessage } from './item-queue.ts'
import { checkSubscribeOptions, noStats } from './base-topic.ts'
import { RawTopic } from './raw-topic.ts'
import { SignedTopic } from './signed-topic.ts'

type OpenTopic = SignedTopic | RawTopic
type AnyMessage = QueuedMessage & { readonly topic: string; readonly sender?: string; readonly sequence?: number }

const publishKeys: readonly (keyof PublishOptions)[] = ['signal', 'timeout', 'context', 'recipients', 'headers']

/** The topics of a peer that are in use. What an app holds is a handle, so a topic that nobody uses costs nothing. */
export class Topics {
  readonly #context: () => TopicContext
  readonly #open = new Map<string, OpenTopic>()

  constructor(context: () => TopicContext) {
    this.#context = context
  }

  get size(): number {
    return this.#open.size
  }

  handle<T>(name: string, options: TopicOptions<T> = {}): Topic<T, unknown> {
    checkKeys('topic', options, ['mode', 'codec'])
    const mode = checkWord('topic', 'mode', options.mode, ['signed', 'raw'], 'signed')
    if (!isTopicName(name)) throw invalidArgument('topic', `topic: ${topicRule}, not ${describe(name)}`)
    const codec = codecOf(options.codec)
    // Reported now, not at the first use.
    const { assertRunning } = this.#context()
    // Keeps the counters of a topic that was released meanwhile.
    let last: OpenTopic | undefined
    const open = (operation: string): OpenTopic => {
      assertRunning(operation)
      last = this.#topic(name, mode)
      return last
    }
    return {
      name,
      mode,
      publish: async (payload, publishOptions) => {
        const { timeouts } = this.#context()
        assertRunning('publish')
        checkKeys('publish', publishOptions, publishKeys)
        timeoutOf(publishOptions, timeouts.publish, 'publish')
        throwIfAborted('publish', publishOptions?.signal)
        const bytes = encode(codec, payload)
        return await this.#brief(name, mode, open('publish').publish(bytes, publishOptions))
      },
      subscribe: (subscribeOptions = {}) => {
        assertRunning('subscribe')
        checkSubscribeOptions(subscribeOptions)
        const present = presenter(codec, () => this.#context().environment.clock.wall())
        const topic = open('subscribe') as SignedTopic
        return topic.subscribe<unknown>(subscribeOptions, present)
      },
      ready: async (readyOptions) => {
        await this.#brief(name, mode, open('ready').ready(readyOptions))
      },
      peers: async (peersOptions) => await this.#brief(name, mode, open('peers').peers(peersOptions)),
      stats: () => {
        assertRunning('stats')
        return (this.#open.get(`${mode}/${name}`) ?? last)?.stats() ?? noStats()
      },
      close: async () => {
        await this.#open.get(`${mode}/${name}`)?.close()
        this.#release(name, mode)
      }
    }
  }

  /** For a call that leaves nothing behind. */
  async #brief<V>(name: string, mode: string, call: Promise<V>): Promise<V> {
    try {
      return await call
    } finally {
      this.#release(name, mode)
    }
  }

  #topic(name: string, mode: 'signed' | 'raw'): OpenTopic {
    const key = `${mode}/${name}`
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const onIdle = (): void => {
      this.#release(name, mode)
    }
    const topic =
      mode === 'raw' ? new RawTopic(name, this.#context(), onIdle) : new SignedTopic(name, this.#context(), onIdle)
    this.#open.set(key, topic)
    return topic
  }

  #release(name: string, mode: string): void {
    const key = `${mode}/${name}`
    if (this.#open.get(key)?.idle === true) this.#open.delete(key)
  }

  async stop(reason: P2plError): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((topic) => topic.stop(reason)))
    this.#open.clear()
  }
}

function codecOf<T>(codec: Codec<T> | undefined): Codec<T> | undefined {
  if (codec === undefined) return undefined
  const { encode: toBytes, decode } = (codec ?? {}) as Partial<Codec<T>>
  if (typeof toBytes === 'function' && typeof decode === 'function') return codec
  throw invalidArgument('topic', 'topic: a codec is { name, encode, decode }, such as json and text of @p2pl/core')
}

function encode<T>(codec: Codec<T> | undefined, payload: T): Uint8Array {
  if (codec === undefined) {
    if (isBytes(payload)) return plainBytes(payload)
    throw invalidArgument(
      'publish',
      `publish: a payload is a Uint8Array, not ${describe(payload)}; for other values give the topic a codec: peer.topic(name, { codec: json })`
    )
  }
  let bytes: unknown
  try {
    bytes = codec.encode(payload)
  } catch (cause) {
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      operation: 'publish',
      cause,
      message: `the codec "${codec.name}" cannot encode the payload: ${errorMessage(cause)}`
    })
  }
  if (isBytes(bytes)) return plainBytes(bytes)
  assertAtOnce(codec.name, 'encode', bytes)
  throw invalidArgument('publish', `the codec "${codec.name}" must encode to a Uint8Array, not ${describe(bytes)}`)
}

function presenter<T>(codec: Codec<T> | undefined, wall: () => number): (message: AnyMessage) => TopicItem<unknown> {
  if (codec === undefined) return (message) => message
  return (message) => {
    const { topic, sender, sequence, payload } = message
    let value: unknown
    try {
      value = codec.decode(payload)
    } catch {
      return {
        type: 'gap',
        topic,
        reason: 'undecodable',
        at: wall(),
        sender,
        first: sequence,
        last: sequence,
        count: 1
      }
    }
    assertAtOnce(codec.name, 'decode', value)
    return { ...message, payload: value }
  }
}

/** If a codec returned a promise, its rejection would go unnoticed. */
function assertAtOnce(codec: string, call: 'encode' | 'decode', value: unknown): void {
  if (!(value instanceof Promise)) return
  value.catch(() => undefined)
  throw invalidArgument(
    call === 'encode' ? 'publish' : 'subscribe',
    `the codec "${codec}" must ${call} at once: it gave a promise. Do what takes time before publish, or after the message`
  )
}
