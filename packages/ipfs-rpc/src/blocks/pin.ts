import { bytesKey, isP2plError, type PinOptions, sleep, untilAborted } from '@p2pl/core/backend'
import { failure } from '@p2pl/kubo/rpc'
import { CID } from 'multiformats/cid'
import type { Connections } from '../routing/connections.ts'
import { PinCalls } from './pin-calls.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { BlockWriter } from './write.ts'

/** How long (ms), without progress, others may take to deliver a block that was stored here and is gone. */
const missedTimeout = 5_000
/**
 * How long (ms) after an abort the daemon may take to finish a pin of local content. Then it is known whether there is
 * a pin.
 */
const endTimeout = 700
/** After this long (ms), an interrupted pin either exists in the daemon or never will. */
const cutTimeout = 200

/** The running calls that pin one block. */
interface UnderWay {
  pins: number
  /** Whether one of them has succeeded. */
  made: boolean
  /** Whether there was a pin before the first of them; `undefined` until the daemon has answered. */
  pinnedBefore: boolean | undefined
  /** Settles when the remains of the last one are removed. */
  removal: Promise<void> | undefined
}

/** Pins in the daemon. All users of the daemon share its pins and its garbage collection. */
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

  /** A pin that fails or is aborted leaves no pin, even if the daemon completes it at that moment. */
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
        // The connection was cut, and the daemon ends the pin by itself.
        async () => await sleep(cutTimeout).then(() => !signal.aborted)
      )
      .then(async (wanted) => {
        underWay.made ||= wanted
        if (--underWay.pins > 0) return
        // A pin that existed before must not be removed with this one.
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

  /** Resolves when nothing is left of aborted pins. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#settling.size > 0) await untilAborted(Promise.all(this.#settling), signal)
  }

  async #make(cid: CID, options: PinOptions, underWay: UnderWay): Promise<void> {
    const earlier = await this.#calls.find(cid, options.signal)
    underWay.pinnedBefore ??= earlier !== undefined
    if (earlier === 'recursive') {
      // The daemon would remove the pin, read all of the content and only then pin it again. An end or an abort in
      // between would leave no pin. So the daemon is only asked to fetch what may be missing.
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
    // Others may have it. If they do not, waiting until the caller gives up would hide what has happened.
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

/** A signal that fires some time after the given one. */
function withDelay(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => late.abort(signal.reason), endTimeout).unref(), {
    once: true
  })
  return late.signal
}

/** Ends the work with `timeoutError` when there is no progress for too long. */
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
