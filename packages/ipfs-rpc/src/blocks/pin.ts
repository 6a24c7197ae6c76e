import { isP2plError, type PinOptions } from '@p2pl/core/backend'
import { type CallKind, failure } from '@p2pl/kubo/rpc'
import { CID } from 'multiformats/cid'
import type { Connections } from '../routing/connections.ts'
import type { RpcClient } from '../rpc/client.ts'
import { causedBy } from './caused-by.ts'
import type { BlockWriter } from './write.ts'

const pinning: CallKind = { operation: 'blocks.pin', lane: 'network' }
/** Milliseconds without progress in which others may deliver a block that was stored here and is gone. */
const missedTimeout = 5_000

/** Pins in the daemon. Its pins are shared with all who use it, and so is its garbage collection. */
export class Pinner {
  readonly #rpc: RpcClient
  readonly #connections: Connections
  readonly #writer: BlockWriter

  constructor(rpc: RpcClient, connections: Connections, writer: BlockWriter) {
    this.#rpc = rpc
    this.#connections = connections
    this.#writer = writer
  }

  async pin(cid: CID, options: PinOptions): Promise<void> {
    this.#connections.hint(options.providers)
    if (options.maxBytes !== undefined) await this.#measure(cid, options.maxBytes, options)
    let missing: CID
    try {
      return await this.#add(cid, options, true)
    } catch (error) {
      const found = missingIn(error)
      if (found === undefined) throw error
      missing = found
    }
    if (!this.#writer.hasStored(missing)) return await this.#add(cid, options, false)
    // Others may have it. If they do not, waiting for them until the caller gives up would hide what has happened.
    await this.#withTimeout(
      options,
      async (bounded) => await this.#add(cid, bounded, false),
      () =>
        failure(
          'NOT_FOUND',
          pinning.operation,
          `${missing.toString()} was stored here and is gone: another user of this daemon has collected garbage before the pin. Add the content again`,
          { retryable: true }
        )
    )
  }

  async #add(cid: CID, { recursive, signal, onProgress }: PinOptions, offline: boolean): Promise<void> {
    const query = new URLSearchParams({ arg: cid.toString(), progress: 'true' })
    if (recursive === false) query.set('recursive', 'false')
    if (offline) query.set('offline', 'true')
    try {
      // Not by the library, which gives no bytes of the progress.
      const answer = await this.#rpc.request(pinning, { path: 'pin/add', query, signal })
      let pinned = false
      for await (const { Progress: blocks, Bytes: bytes, Pins: pins } of answer.objects()) {
        pinned ||= Array.isArray(pins)
        if (typeof blocks === 'number') onProgress?.({ blocks, bytes: typeof bytes === 'number' ? bytes : 0 })
      }
      if (!pinned) throw failure('PROTOCOL', pinning.operation, 'the daemon does not say what it has pinned')
    } catch (error) {
      // A direct pin of content that is pinned recursively: it is held already.
      if (!causedBy(error, /already pinned recursively/)) throw error
    }
  }

  /** Fetches what is missing, and throws `TOO_LARGE` as soon as there is more than allowed. */
  async #measure(cid: CID, maxBytes: number, { recursive, signal, onProgress }: PinOptions): Promise<void> {
    const query = new URLSearchParams({ arg: cid.toString() })
    if (recursive === false) {
      const { Size: size } = await (await this.#rpc.request(pinning, { path: 'block/stat', query, signal })).json()
      if (Number(size) > maxBytes) throw tooLarge(cid, maxBytes)
      return
    }
    const answer = await this.#rpc.request(pinning, { path: 'dag/stat', query, signal })
    for await (const { TotalSize: bytes, DagStats: stats } of answer.objects()) {
      if (Number(bytes) > maxBytes) throw tooLarge(cid, maxBytes)
      const [dag] = Array.isArray(stats) ? (stats as { NumBlocks?: unknown }[]) : []
      if (typeof bytes === 'number') onProgress?.({ bytes, blocks: Number(dag?.NumBlocks ?? 0) })
    }
  }

  /** Ends the work with `timeoutError` when there is no progress for long. */
  async #withTimeout(
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
}

function tooLarge(cid: CID, maxBytes: number): Error {
  return failure('TOO_LARGE', pinning.operation, `the content below ${cid.toString()} has more than ${maxBytes} bytes`)
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
