import type { CID } from 'multiformats/cid'
import type { GetOptions } from '../api/blocks.ts'
import type { CallOptions } from '../api/common.ts'
import { assertVerifiable, identityBytes, verifyDelivered } from '../content/hash.ts'
import { type Countdown, iterateWithTimeout, withProgressTimeout } from '../toolbox/countdown.ts'
import { isP2plError, P2plError, unsupported } from '../errors.ts'
import { asTypedError } from '../foreign-error.ts'
import type { BlockTransport } from '../port/blocks.ts'
import type { BlockCapabilities, RoutingCapabilities } from '../port/capabilities.ts'
import type { AbortOptions, Block } from '../port/common.ts'
import type { RoutingTransport } from '../port/routing.ts'
import { isBytes } from '../toolbox/bytes.ts'
import { checkFlag, checkKeys, describe } from '../toolbox/options.ts'
import { toCid } from './cid-input.ts'
import type { DataContext } from './context.ts'

/** Options that every call takes. */
const common = ['signal', 'timeout', 'context'] as const
/** Options of calls that read blocks. */
export const reading = ['local', 'remote', 'providers', 'root'] as const

/**
 * Calls of the port in the form that core's policy needs: only while the peer runs, with timeouts, typed errors and
 * verification.
 */
export class Calls {
  readonly context: DataContext
  readonly #life: AbortController = new AbortController()

  constructor(context: DataContext) {
    this.context = context
  }

  /** Fires when the peer stops. */
  get life(): AbortSignal {
    return this.#life.signal
  }

  /** Ends every call under way. */
  stop(): void {
    this.#life.abort(
      new P2plError({
        code: 'NOT_RUNNING',
        operation: 'data',
        message: 'the peer was stopped while the call was under way'
      })
    )
  }

  /** @param keys - Options of the call in addition to the common ones. Any other option is refused. */
  run<T>(
    options: CallOptions | undefined,
    defaultMs: number,
    operation: string,
    work: (countdown: Countdown) => PromiseLike<T> | T,
    keys: readonly string[] = []
  ): Promise<T> {
    checkKeys(operation, options, [...common, ...keys])
    return withProgressTimeout(this.context.clock, this.#scoped(options, operation), defaultMs, operation, work)
  }

  /** A call that nobody waits for. Rejects when the signal fires, on a timeout, or when the peer stops. */
  async background<T>(
    signal: AbortSignal,
    timeout: number,
    operation: string,
    work: (signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    const { clock } = this.context
    const end = new AbortController()
    const onAbort = (): void => {
      end.abort(signal.aborted ? signal.reason : this.#life.signal.reason)
    }
    const timer = clock.setTimeout(() => {
      end.abort(
        new P2plError({ code: 'TIMEOUT', operation, message: `${operation} had no answer within ${timeout} ms` })
      )
    }, timeout)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#life.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await this.port(operation, () => work(end.signal))
    } finally {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#life.signal.removeEventListener('abort', onAbort)
    }
  }

  /** `renewed`: the timeout applies from item to item, not to all items together. */
  iterate<T>(
    options: CallOptions | undefined,
    defaultMs: number,
    operation: string,
    renewed: boolean,
    open: (countdown: Countdown) => AsyncIterable<T>,
    keys: readonly string[] = []
  ): AsyncIterableIterator<T> {
    return iterateWithTimeout(
      this.context.clock,
      { signal: options?.signal, timeout: options?.timeout, scope: this.#life.signal },
      defaultMs,
      operation,
      renewed,
      (countdown) => {
        this.context.assertRunning(operation)
        checkKeys(operation, options, [...common, ...keys])
        return open(countdown)
      }
    )
  }

  blocks(operation: string): { transport: BlockTransport; capabilities: BlockCapabilities } {
    const { backend } = this.context
    if (backend.blocks === undefined || backend.capabilities.blocks === undefined) {
      throw unsupported(backend.name, operation, 'it has no blocks; give createPeer another backend for "data"')
    }
    return { transport: backend.blocks, capabilities: backend.capabilities.blocks }
  }

  routing(feature: keyof RoutingCapabilities, operation: string): RoutingTransport {
    const { backend } = this.context
    if (!this.canRoute(feature) || backend.routing === undefined) {
      throw unsupported(backend.name, operation, `it declares routing.${feature} as none`)
    }
    return backend.routing
  }

  canRoute(feature: keyof RoutingCapabilities): boolean {
    const support = this.context.backend.capabilities.routing?.[feature]
    return support !== undefined && support !== 'none'
  }

  /** A backend throws a `P2plError`. Anything else that a foreign backend throws is converted to one. */
  async port<T>(operation: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw this.classify(error, operation)
    }
  }

  /** Stores blocks of the app. */
  async store(operation: string, blocks: readonly Block[], options: AbortOptions): Promise<void> {
    const { transport } = this.blocks(operation)
    for (const { cid } of blocks) this.context.onStore(cid)
    await this.port(operation, () => transport.putMany(blocks, options))
  }

  async *portItems<T>(operation: string, open: () => AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* open()
    } catch (error) {
      throw this.classify(error, operation)
    }
  }

  classify(cause: unknown, operation: string): P2plError {
    return asTypedError(cause, operation, this.context.backend.name)
  }

  /** The bytes of one block, hashed and compared unless the backend is trusted. */
  fetcher(
    operation: string,
    options: GetOptions | undefined,
    countdown: Countdown,
    root?: CID
  ): (cid: CID) => Promise<Uint8Array> {
    const { transport, capabilities } = this.blocks(operation)
    const { backend, trust } = this.context
    checkFlag(operation, 'local', options?.local)
    checkFlag(operation, 'remote', options?.remote)
    const hints = {
      signal: countdown.signal,
      context: options?.context,
      local: options?.local,
      remote: options?.remote,
      providers: options?.providers,
      root: options?.root === undefined ? root : toCid(options.root, operation)
    }
    const ask = async (cid: CID, remote: boolean | undefined): Promise<Uint8Array> => {
      countdown.waitsFor(this.#missing(cid))
      const bytes = await this.port(operation, () => transport.get(cid, { ...hints, remote }))
      if (!isBytes(bytes)) throw noBytes(bytes, operation, backend.name)
      countdown.waitsFor(undefined)
      if (trust === 'verify') await verifyDelivered(cid, bytes, operation, backend.name)
      return bytes
    }
    return async (cid) => {
      const inline = identityBytes(cid, operation)
      if (inline !== undefined) return inline
      if (trust === 'verify') assertVerifiable(cid, operation, backend.name)
      try {
        return await ask(cid, hints.remote)
      } catch (error) {
        const elsewhere = capabilities.remote && hints.local !== true && hints.remote !== true
        if (!elsewhere || !isP2plError(error, 'INVALID_CONTENT')) throw error
        // The stored block may be damaged. Other peers may have a good one, which then replaces it.
        const bytes = await ask(cid, true)
        await this.port(operation, () => transport.putMany([{ cid, bytes }], { signal: countdown.signal }))
        return bytes
      }
    }
  }

  #missing(cid: CID): string {
    const alone = this.context.connected() === false ? ', and no peer is connected' : ''
    return `nobody gave the block ${cid.toString()}${alone}`
  }

  #scoped(options: CallOptions | undefined, operation: string): CallOptions & { scope: AbortSignal } {
    this.context.assertRunning(operation)
    return { signal: options?.signal, timeout: options?.timeout, scope: this.#life.signal }
  }
}

function noBytes(value: unknown, operation: string, backend: string): P2plError {
  return new P2plError({
    code: 'ENGINE',
    operation,
    backend,
    message: `the backend "${backend}" gave ${describe(value)} for a block instead of bytes: report it to its author`
  })
}
