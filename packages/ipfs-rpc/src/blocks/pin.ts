import { bytesKey, isP2plError, type PinOptions, sleep, untilAborted } from '@p2pl/core/backend'
import { failure } from '@p2pl/kubo/rpc'
import { CID } from 'multiformats/cid'
import type { Connections } from '../routing/connections.ts'
import { PinCalls } from './pin-calls.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { BlockWriter } from './write.ts'

/** Milliseconds without progress in which others may deliver a block that was stored here and is gone. */
const missedTimeout = 5_000
/** Milliseconds after an abort in which the daemon may end a pin of what is stored here: then it is known whether there is a pin. */
const endTimeout = 700
/** Milliseconds after which a pin that was cut off in the daemon is made or not. */
const cutTimeout = 200

/** The pins of one block that are being made. */
interface UnderWay {
  pins: number
  /** Whether one of them has been made, for good. */
  made: boolean
  /** Whether there was a pin before the first of them; `undefined` until the daemon has said so. */
  pinnedBefore: boolean | undefined
  /** Settles when what the last one has left is gone. */
  removal: Promise<void> | undefined
}

/** Pins in the daemon. Its pins are shared with all who use it, and so is its garbage collection. */
export class Pinner {
  readonly #calls: PinCalls
  readonly #connections: Connections
  readonly #writer: BlockWriter
  readonly #underWay = new Map<string, UnderWay>()
  readonly #settling = new Set<Promise<void>>()

  constructor(rpc: RpcClient, connections: Connections, writer: BlockWriter) {
    this.#calls = new PinCalls(rpc)
    this.#connections = connections
    this.#writer = writer
  }

  /** A pin that fails or is aborted leaves no pin, also when the daemon makes it in the same moment. */
  async pin(cid: CID, options: PinOptions): Promise<void> {
    const { signal, maxBytes } = options
    this.#connections.hint(options.providers)
    if (maxBytes !== undefined) await this.#calls.measure(cid, maxBytes, options)
    const key = bytesKey(cid.bytes)
    const removal = this.#underWay.get(key)?.removal
    if (removal !== undefined) await untilAborted(removal, signal)
    const underWay = this.#underWay.get(key) ?? { pins: 0, made: false, pinnedBefore: undefined, removal: undefined }
    underWay.pins++
    this.#underWay.set(key, underWay)
    const work = this.#make(cid, options, underWay)
    const settled = work
      .then(
        () => !signal.aborted,
        // The daemon has been cut off, and ends by itself.
        async () => await sleep(cutTimeout).then(() => !signal.aborted)
      )
      .then(async (wanted) => {
        underWay.made ||= wanted
        if (--underWay.pins > 0) return
        // An earlier pin must not be removed with this one.
        if (!underWay.made && underWay.pinnedBefore === false) {
          underWay.removal = this.#calls.remove(cid).catch(() => {})
          await underWay.removal
        }
        this.#underWay.delete(key)
      })
      .finally(() => this.#settling.delete(settled))
    this.#settling.add(settled)
    await work
  }

  async unpin(cid: CID, signal: AbortSignal): Promise<void> {
    await this.settled(signal)
    await this.#calls.remove(cid, signal)
  }

  /** Resolves when nothing is left of pins that were aborted. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#settling.size > 0) await untilAborted(Promise.all(this.#settling), signal)
  }

  async #make(cid: CID, options: PinOptions, underWay: UnderWay): Promise<void> {
    const earlier = await this.#calls.find(cid, options.signal)
    underWay.pinnedBefore ??= earlier !== undefined
    if (earlier === 'recursive') {
      // The daemon would take the pin away, read all of the content and only then pin anew: a pin that ends in between, like one
      // that is aborted, would leave none. So it is asked for what may be missing, and for nothing else.
      if (options.maxBytes === undefined) await this.#calls.measure(cid, Infinity, options)
      return
    }
    let missing: CID
    try {
      return await this.#calls.add(cid, { ...options, signal: withDelay(options.signal) }, true)
    } catch (error) {
      const found = missingIn(error)
      if (found === undefined) throw error
      missing = found
    }
    if (!this.#writer.hasStored(missing)) return await this.#calls.add(cid, options, false)
    // Others may have it. If they do not, waiting for them until the caller gives up would hide what has happened.
    await withTimeout(
      options,
      async (bounded) => await this.#calls.add(cid, bounded, false),
      () =>
        failure(
          'NOT_FOUND',
          'blocks.pin',
          `${missing.toString()} was stored here and is gone: another user of this daemon has collected garbage before the pin. Add the content again`,
          { retryable: true }
        )
    )
  }
}

/** Fires some time after the signal. */
function withDelay(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => late.abort(signal.reason), endTimeout).unref(), {
    once: true
  })
  return late.signal
}

/** Ends the work with `timeoutError` when there is no progress for long. */
async function withTimeout(
  options: PinOptions,
  work: (bounded: PinOptions) => Promise<void>,
  timeoutError: () => Error
): Promise<void> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(timeoutError()), missedTimeout)
  const signal = AbortSignal.any([options.signal, silence.signal])
  const onProgress: PinOptions['onProgress'] = (progress) => {
    timer.refresh()
    options.onProgress?.(progress)
  }
  await work({ ...options, signal, onProgress }).finally(() => clearTimeout(timer))
}

/** The block that an offline daemon did not find. */
function missingIn(error: unknown): CID | undefined {
  if (!isP2plError(error, 'NOT_FOUND')) return undefined
  const text = /could not find (\w+)/.exec(error.message)?.[1]
  try {
    return text === undefined ? undefined : CID.parse(text)
  } catch {
    return undefined
  }
}
