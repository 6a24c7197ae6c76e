import type { BitswapOptions } from '@helia/bitswap'
import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { MultihashHasher } from 'multiformats/hashes/interface'
import { textOf } from './stores.ts'

/** The own store, as the exchange reads it to serve others. */
export interface ServedBlocks {
  has(cid: CID): Promise<boolean>
  get(cid: CID): AsyncIterable<Uint8Array>
}

/** Fetches blocks from connected peers, and serves them. */
export interface Exchange {
  /** Asks every connected peer, now and later, until one delivers or the signal fires. Bytes hash to the CID. */
  want(cid: CID, signal: AbortSignal): Promise<Uint8Array>
  /** Blocks came into the own store: whoever asked for one gets it. */
  notify(cids: readonly CID[]): void
  stop(): Promise<void>
}

/** The block broker of @helia/bitswap: what is exported of it, and the parts inside without which losses cannot be mended. */
interface Broker {
  retrieve(cid: CID, options: { signal: AbortSignal }): Promise<Uint8Array>
  announce(cid: CID): Promise<void>
  stop(): Promise<void>
  readonly bitswap: {
    readonly wantList: {
      has(cid: CID): boolean
      addEventListener(type: 'block', listener: (event: CustomEvent<{ cid: CID; block: Uint8Array }>) => void): void
    }
  }
}

interface Want {
  readonly controller: AbortController
  readonly promise: Promise<Uint8Array>
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  waiters: number
}

export async function openBitswap(
  libp2p: Libp2p,
  blocks: ServedBlocks,
  hashers: readonly MultihashHasher[],
  options: Readonly<Record<string, unknown>> = {}
): Promise<Exchange> {
  const { withBitswap } = await import('@helia/bitswap')
  const broker = await startBroker(
    withBitswap,
    {
      libp2p,
      blockstore: blocks,
      logger: libp2p.logger,
      // The search for providers is Fetcher's: here it would start with every block and be broken off with most.
      routing: { async *findProviders() {} },
      getHasher: (code: number) => {
        const hasher = hashers.find((one) => one.code === code)
        if (hasher === undefined) throw new Error(`unknown multihash code ${code}`)
        return hasher
      }
    },
    {
      sendWantlistDebounce: 0,
      // A block that was sent and is wanted again was lost or deleted on the way: send it.
      doNotResendBlockWindow: 1,
      ...options
    }
  )
  return new BitswapExchange(broker)
}

/** The package gives its broker only to something that looks like a Helia node; importing Helia for that costs 0.8 s. */
async function startBroker(
  withBitswap: (helia: never, options: BitswapOptions) => unknown,
  components: object,
  options: BitswapOptions
): Promise<Broker> {
  let broker: Broker | undefined
  let mixin: { start(helia: unknown): Promise<void> } | undefined
  const node = {
    ...components,
    status: 'starting',
    addMixin: (added: typeof mixin) => (mixin = added),
    hasBlockBroker: () => broker !== undefined,
    addBlockBroker: (added: Broker) => (broker = added)
  }
  withBitswap(node as never, options)
  await mixin?.start(node)
  if (broker === undefined) throw new Error('@helia/bitswap started no block broker')
  return broker
}

const firstAttempt = 4_000
const longestAttempt = 30_000

/**
 * The engine's want list forgets: the abort of one want ends the others of the same block, an answer that comes between two
 * attempts is dropped, and a remote may answer only once. So there is one want per block here, answers are taken whenever
 * they come, and what stays unanswered is asked again.
 */
class BitswapExchange implements Exchange {
  readonly #broker: Broker
  readonly #wants = new Map<string, Want>()
  #stopped = false

  constructor(broker: Broker) {
    this.#broker = broker
    broker.bitswap.wantList.addEventListener('block', ({ detail }) => {
      this.#wants.get(textOf(detail.cid.multihash.bytes))?.resolve(detail.block)
    })
  }

  async want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const key = textOf(cid.multihash.bytes)
    const want = this.#wants.get(key) ?? this.#start(key, cid)
    want.waiters++
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => {
      aborted.reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([want.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (--want.waiters === 0) this.#end(key, want)
    }
  }

  #start(key: string, cid: CID): Want {
    if (this.#stopped) throw new Error('the exchange has stopped')
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    promise.catch(() => {})
    const want: Want = { controller: new AbortController(), promise, resolve, reject, waiters: 0 }
    this.#wants.set(key, want)
    void this.#ask(cid, want)
    return want
  }

  #end(key: string, want: Want): void {
    if (this.#wants.get(key) === want) this.#wants.delete(key)
    want.controller.abort()
  }

  async #ask(cid: CID, want: Want): Promise<void> {
    const { signal } = want.controller
    for (let patience = firstAttempt; !signal.aborted; patience = Math.min(patience * 2, longestAttempt)) {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(patience)])
      try {
        want.resolve(await this.#broker.retrieve(cid, { signal: attempt }))
        return
      } catch (error) {
        if (signal.aborted) return
        if (!attempt.aborted) {
          want.reject(error)
          return
        }
      }
    }
  }

  notify(cids: readonly CID[]): void {
    for (const cid of cids) this.#broker.announce(cid).catch(() => {})
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const [key, want] of this.#wants) {
      want.reject(new Error('the exchange has stopped'))
      this.#end(key, want)
    }
    await this.#broker.stop()
  }
}
