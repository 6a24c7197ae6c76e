import { P2plError } from '@p2pl/core'
import type { ErrorCode } from '@p2pl/core'
import { checkFlag, checkFunction, checkKeys, checkNumber, describe, Slots, throwIfAborted } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { Entry, Validity, View } from '../api.ts'
import { checkPlace } from '../options.ts'
import type { Replica } from '../replica/replica.ts'
import { openReplica } from '../view.ts'
import type {
  HistoryPublishOptions,
  HistorySubscribeOptions,
  HistorySubscription,
  TopicWithHistory,
  TopicWithHistoryOptions
} from './api.ts'
import { parseCursor } from './cursor.ts'
import { areHeaders, decodeFrame, encodeFrame } from './frame.ts'
import type { Claim, Frame } from './frame.ts'
import { Log } from './log.ts'
import { Payloads } from './payloads.ts'
import { Presenter, wrong } from './presenter.ts'
import type { Presented } from './presenter.ts'
import { LogSubscription, maxOpen } from './subscription.ts'

/**
 * The most bytes of an entry's payload: the default of a view. A payload that does not fit with its headers is stored
 * in the data backend.
 */
const maxFrameBytes = 65_536
const defaultMaxPayloadBytes = 16 * 1024 * 1024
const defaultPayloadTimeout = 60_000

/** Opens a topic that keeps its messages: a subscription gets the messages that it missed, and each message once. */
export async function topicWithHistory<T = Uint8Array>(
  options: TopicWithHistoryOptions<T>
): Promise<TopicWithHistory<T>> {
  const call = 'topicWithHistory'
  checkKeys(call, options ?? {}, ['peer', 'topic', 'store', 'codec', 'validate', 'maxPayloadBytes', 'beaconPeriod'])
  const { peer, topic, store, beaconPeriod, validate } = options ?? {}
  checkPlace(call, peer, topic, store)
  checkFunction(call, 'validate', validate)
  const whole = { min: 0, integer: true }
  const maxPayloadBytes = checkNumber(call, 'maxPayloadBytes', options.maxPayloadBytes, whole, defaultMaxPayloadBytes)
  const presenter = new Presenter(topic, options.codec)
  const validateEntry = async (entry: Entry): Promise<Validity> => await judge(entry, validate)
  const { view, replica } = await openReplica({ peer, topic, store, beaconPeriod, validate: validateEntry })
  try {
    const log = new Log(view, replica)
    return new OpenTopic(options, { view, replica, log, presenter, maxPayloadBytes })
  } catch (error) {
    await view.stop()
    throw error
  }
}

async function judge(entry: Entry, validate: TopicWithHistoryOptions['validate']): Promise<Validity> {
  // Throws for anything but a frame, which makes the entry invalid.
  const { headers, content } = decodeFrame(entry.payload)
  if (validate === undefined) return 'valid'
  const { author: sender } = entry
  if (content instanceof Uint8Array) return await validate({ sender, headers, payload: content, size: content.length })
  return await validate({ sender, headers, ...content })
}

interface Parts<T> {
  readonly view: View
  readonly replica: Replica
  readonly log: Log
  readonly presenter: Presenter<T>
  readonly maxPayloadBytes: number
}

class OpenTopic<T> implements TopicWithHistory<T> {
  readonly name: string
  readonly view: View
  readonly #options: TopicWithHistoryOptions<T>
  readonly #parts: Parts<T>
  /** Publishes run one after the other, until each has its place in the order of the sender. */
  readonly #line: Slots = new Slots(1)
  readonly #subscriptions: Set<LogSubscription<T>> = new Set()
  #closing: Promise<void> | undefined

  constructor(options: TopicWithHistoryOptions<T>, parts: Parts<T>) {
    this.name = options.topic
    this.view = parts.view
    this.#options = options
    this.#parts = parts
  }

  #check(call: string, signal?: AbortSignal): void {
    if (this.#parts.replica.stopped) {
      throw failure('NOT_RUNNING', call, 'the topic was closed: open it again')
    }
    throwIfAborted(call, signal)
  }

  async publish(payload: T, options: HistoryPublishOptions = {}): Promise<{ readonly id: string }> {
    checkKeys('publish', options, ['headers', 'signal'])
    const { headers = {}, signal } = options
    this.#check('publish', signal)
    if (!areHeaders(headers)) {
      const rule = 'names of 1 to 64 and values of at most 1024 characters'
      throw wrong('publish', `headers are an object of at most 16 well-formed texts, with ${rule}`)
    }
    const bytes = this.#parts.presenter.encode(payload)
    const most = this.#parts.maxPayloadBytes
    if (bytes.length > most) {
      const fix = 'add it with peer.data and publish its CID, or raise maxPayloadBytes on every peer'
      throw failure('TOO_LARGE', 'publish', `a payload of ${bytes.length} bytes is over ${most}: ${fix}`)
    }
    // The caller may change its array after this call.
    const content = new Uint8Array(bytes)
    const { appended } = await this.#line.run(async () => {
      const frame = await this.#frame({ headers, content }, signal)
      return { appended: this.view.append(frame, { signal }) }
    }, signal)
    return { id: (await appended).cid.toString() }
  }

  /** Encodes the message as the payload of an entry. */
  async #frame(
    message: { readonly headers: Frame['headers']; readonly content: Uint8Array<ArrayBuffer> },
    signal: AbortSignal | undefined
  ): Promise<Uint8Array> {
    const { headers, content } = message
    if (content.length < maxFrameBytes) {
      const frame = encodeFrame(message)
      if (frame.length <= maxFrameBytes) return frame
    }
    const claim = await this.#options.peer.data.add(content, { signal })
    return encodeFrame({ headers, content: claim })
  }

  subscribe(options: HistorySubscribeOptions = {}): HistorySubscription<T> {
    const call = 'subscribe'
    checkKeys(call, options, ['since', 'echo', 'payloadTimeout', 'signal'])
    const { signal, echo = false } = options
    checkFlag(call, 'echo', echo)
    const range = { min: 1, max: 2_147_483_647 }
    const payloadTimeout = checkNumber(call, 'payloadTimeout', options.payloadTimeout, range, defaultPayloadTimeout)
    this.#check(call, signal)
    const { log, presenter, maxPayloadBytes, replica } = this.#parts
    const { peer, topic } = this.#options
    const subscription = new LogSubscription<T>({
      peer,
      topic,
      log,
      presenter,
      maxPayloadBytes,
      payloads: this.#payloads(),
      since: this.#since(options.since),
      echo,
      payloadTimeout,
      signal,
      watch: (callback) => replica.watch(callback),
      stopped: () => replica.stopped,
      onClose: () => this.#subscriptions.delete(subscription)
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  #payloads(): Payloads {
    const { replica, maxPayloadBytes } = this.#parts
    return new Payloads(this.#options.peer, maxPayloadBytes, (most) => replica.reports.providers(most))
  }

  async #fetch(claim: Claim, timeout: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { payload } = await this.#payloads().fetch(claim, timeout, signal)
    return payload
  }

  #since(since: unknown): { readonly through: number; readonly open: readonly number[] } {
    const { log } = this.#parts
    if (since === undefined) return { through: 0, open: [] }
    if (since === 'now') return { through: log.end, open: [] }
    const cursor = typeof since === 'string' ? parseCursor(since, 2 * maxOpen) : undefined
    if (cursor === undefined) {
      throw wrong('subscribe', `since is the cursor of an item, or "now", not ${describe(since)}`)
    }
    if (cursor.store === log.store && cursor.through <= log.end) return cursor
    const fix = 'leave since out to get all messages, and tell those that are known by their ids'
    throw wrong('subscribe', `since is a cursor of another store, or of a later state of this one: ${fix}`)
  }

  async get(
    id: string,
    options: { readonly signal?: AbortSignal | undefined; readonly timeout?: number | undefined } = {}
  ): Promise<Presented<T>> {
    checkKeys('get', options, ['signal', 'timeout'])
    const { signal } = options
    const timeout = checkNumber('get', 'timeout', options.timeout, { min: 1, max: 2_147_483_647 }, 30_000)
    this.#check('get', signal)
    const entry = await this.view.get(cidOfId(id))
    if (entry === undefined) throw failure('NOT_FOUND', 'get', `the topic has no message ${describe(id)} (yet)`)
    const frame = decodeFrame(entry.payload)
    const { content } = frame
    const payload = content instanceof Uint8Array ? content : await this.#fetch(content, timeout, signal)
    const message = this.#parts.presenter.message({ entry, frame }, payload)
    if (message !== undefined) return message
    throw failure('INVALID_CONTENT', 'get', 'the codec does not take the payload of the message')
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    await Promise.allSettled([...this.#subscriptions].map((subscription) => subscription.close()))
    await this.view.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function cidOfId(id: string): CID {
  try {
    return CID.parse(id)
  } catch (cause) {
    throw wrong('get', `a message is asked for by its id, which is a CID, not ${describe(id)}`, cause)
  }
}

function failure(code: ErrorCode, operation: string, message: string): P2plError {
  return new P2plError({ code, operation, message: `${operation}: ${message}` })
}
