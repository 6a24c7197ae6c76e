import type {
  AbortOptions,
  Block,
  BlockCapabilities,
  BlockTransport,
  GetBlockOptions,
  Pin,
  PinOptions
} from '@p2pl/core/backend'
import { abortError, isP2plError } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { key } from '../kit/samples.ts'
import { linksOf } from './dag.ts'
import type { FakeNode } from './node.ts'

export class FakeBlocks implements BlockTransport {
  readonly #node: FakeNode
  readonly #declared: BlockCapabilities
  /** Pins whose blocks are still being fetched: they protect already, and are not listed yet. */
  readonly #pending = new Set<Pin>()
  declare getDag?: (root: CID, options?: GetBlockOptions) => AsyncIterable<Block>

  constructor(node: FakeNode, declared: BlockCapabilities) {
    this.#node = node
    this.#declared = declared
    if (declared.dag !== 'none')
      this.getDag = (root, options) =>
        node.iterate('blocks.getDag', options, () => this.#walk('blocks.getDag', root, options, new Set()))
  }

  async get(cid: CID, options?: GetBlockOptions): Promise<Uint8Array> {
    return await this.#node.call('blocks.get', options, async (_run, signal) => {
      this.#checkHash('blocks.get', cid)
      return await this.#find('blocks.get', cid, signal, options)
    })
  }

  async put(block: Block, options?: AbortOptions): Promise<void> {
    await this.#node.call('blocks.put', options, () => this.#store('blocks.put', block))
  }

  async putMany(blocks: Iterable<Block> | AsyncIterable<Block>, options?: AbortOptions): Promise<void> {
    await this.#node.call('blocks.putMany', options, async (_run, signal) => {
      try {
        for await (const block of blocks) {
          if (signal.aborted) return
          this.#store('blocks.putMany', block)
        }
      } catch (cause) {
        if (isP2plError(cause)) throw cause
        throw this.#node.error('INVALID_ARGUMENT', 'blocks.putMany', 'the iterable of blocks failed', cause)
      }
    })
  }

  async has(cid: CID, options?: AbortOptions): Promise<boolean> {
    return await this.#node.call('blocks.has', options, () => this.#blocks.has(key(cid)))
  }

  async delete(cid: CID, options?: AbortOptions): Promise<void> {
    await this.#node.call('blocks.delete', options, () => {
      if (this.#protected().has(key(cid))) throw this.#node.error('PINNED', 'blocks.delete', 'a pin holds the block')
      this.#blocks.delete(key(cid))
    })
  }

  async pin(cid: CID, options?: PinOptions): Promise<void> {
    await this.#node.call('blocks.pin', options, async (_run, signal) => {
      this.#needs(this.#declared.pins, 'blocks.pin')
      const pin: Pin = { cid, recursive: options?.recursive ?? true }
      this.#pending.add(pin)
      try {
        const walk = this.#walk('blocks.pin', cid, { signal }, new Set(), true)
        for (let step = await walk.next(); step.done !== true && pin.recursive; step = await walk.next());
        if (signal.aborted) return
        const before = this.#node.store.pins.get(key(cid))
        if (before?.recursive !== true || pin.recursive) this.#node.store.pins.set(key(cid), pin)
      } finally {
        this.#pending.delete(pin)
      }
    })
  }

  async unpin(cid: CID, options?: AbortOptions): Promise<void> {
    await this.#node.call('blocks.unpin', options, () => {
      this.#needs(this.#declared.pins, 'blocks.unpin')
      this.#node.store.pins.delete(key(cid))
    })
  }

  pins(options?: AbortOptions): AsyncIterable<Pin> {
    const { pins } = this.#node.store
    return this.#node.iterate('blocks.pins', options, () => {
      this.#needs(this.#declared.pins, 'blocks.pins')
      return (async function* () {
        yield* Array.from(pins.values())
      })()
    })
  }

  gc(options?: AbortOptions): AsyncIterable<CID> {
    return this.#node.iterate('blocks.gc', options, () => {
      this.#needs(this.#declared.gc, 'blocks.gc')
      return this.#sweep()
    })
  }

  async *#sweep(): AsyncGenerator<CID> {
    for (const [name, { cid }] of Array.from(this.#blocks)) {
      if (this.#protected().has(name)) continue
      this.#blocks.delete(name)
      yield cid
    }
  }

  get #blocks(): Map<string, Block> {
    return this.#node.store.blocks
  }

  #needs(support: string, operation: string): void {
    if (support === 'none') throw this.#node.unsupported(operation)
  }

  #checkHash(operation: string, cid: CID): void {
    if (!this.#declared.hashes.includes(cid.multihash.code))
      throw this.#node.error('UNSUPPORTED', operation, `the hash 0x${cid.multihash.code.toString(16)} is not supported`)
  }

  #store(operation: string, block: Block): void {
    this.#checkHash(operation, block.cid)
    if (block.bytes.byteLength > this.#declared.maxBlockBytes)
      throw this.#node.error('TOO_LARGE', operation, `a block has at most ${this.#declared.maxBlockBytes} bytes`)
    this.#blocks.set(key(block.cid), block)
    this.#node.network.changed()
  }

  async #find(operation: string, cid: CID, signal: AbortSignal, options?: GetBlockOptions): Promise<Uint8Array> {
    const look = (): Uint8Array | undefined => {
      const own = this.#blocks.get(key(cid))
      if (own !== undefined) return own.bytes.slice()
      if (options?.local === true || !this.#declared.remote) return undefined
      for (const { store } of this.#node.network.neighbours(this.#node.store.id)) {
        const bytes = store.blocks.get(key(cid))?.bytes.slice()
        if (bytes === undefined) continue
        if (this.#declared.keepsFetched) this.#store(operation, { cid, bytes: bytes.slice() })
        return bytes
      }
      return undefined
    }
    for (const { id } of options?.providers ?? [])
      if (this.#node.network.nodes.has(id)) this.#node.network.connect(this.#node.store.id, id)
    const found = look()
    if (found !== undefined) return found
    if (options?.local === true || !this.#declared.remote)
      throw this.#node.error('NOT_FOUND', operation, `${cid.toString()} is not stored here`)
    return await new Promise<Uint8Array>((resolve, reject) => {
      const ignore = this.#node.network.watch(() => {
        const bytes = look()
        if (bytes !== undefined) end(() => resolve(bytes))
      })
      const end = (settle: () => void): void => {
        ignore()
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = (): void => end(() => reject(abortError(operation, signal, this.#node.name)))
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  /** The blocks below a root, each once, parents before children; with `keep`, what was fetched is stored. */
  async *#walk(
    operation: string,
    cid: CID,
    options: GetBlockOptions | undefined,
    seen: Set<string>,
    keep = false
  ): AsyncGenerator<Block> {
    if (seen.has(key(cid))) return
    seen.add(key(cid))
    const signal = options?.signal ?? new AbortController().signal
    const bytes = await this.#find(operation, cid, signal, options)
    if (keep) this.#store(operation, { cid, bytes })
    yield { cid, bytes }
    for (const link of linksOf(cid, bytes)) yield* this.#walk(operation, link, options, seen, keep)
  }

  /** Every name that a pin holds, as far as it is stored. */
  #protected(): Set<string> {
    const held = new Set<string>()
    for (const { cid, recursive } of [...this.#node.store.pins.values(), ...this.#pending]) {
      if (recursive) this.#hold(cid, held, new Set())
      else held.add(key(cid))
    }
    return held
  }

  #hold(cid: CID, held: Set<string>, walked: Set<string>): void {
    if (walked.has(key(cid))) return
    walked.add(key(cid))
    held.add(key(cid))
    const block = this.#blocks.get(key(cid))
    if (block !== undefined) for (const link of linksOf(cid, block.bytes)) this.#hold(link, held, walked)
  }
}
