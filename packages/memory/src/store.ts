import { P2plError } from '@p2pl/core/backend'
import type { Block, Pin } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { blockKey, nodeKey } from './key.ts'
import { walkPin } from './pins.ts'
import type { PinRequest } from './pins.ts'

export interface PinRecord extends Pin {
  /** Multihashes of everything that the pin protects. */
  readonly keys: ReadonlySet<string>
}

/**
 * Blocks and pins of one peer. With `memory({ store })` it outlives `stop`, and the next backend that gets it continues
 * where the last one stopped. It serves one running backend at a time.
 */
export class MemoryStore {
  /** By {@link blockKey}. */
  readonly blocks: Map<string, Block> = new Map()
  /** By codec and multihash. */
  readonly pins: Map<string, PinRecord> = new Map()
  /** How many pins, finished or under way, protect a multihash. */
  readonly #holds = new Map<string, number>()
  /** A new object for each opening. */
  #session: object | undefined

  /** Takes the store for one running backend. Throws `LOCKED` while another one has it. */
  open(): void {
    if (this.#session !== undefined) {
      const message = 'another running peer uses this store: give each peer a store of its own'
      throw new P2plError({ code: 'LOCKED', message })
    }
    this.#session = {}
    // A pin that was under way when the last session ended no longer holds anything.
    this.#holds.clear()
    for (const pin of this.pins.values()) for (const key of pin.keys) this.hold(key)
  }

  close(): void {
    this.#session = undefined
  }

  /** Removes everything. */
  clear(): void {
    for (const part of [this.blocks, this.pins, this.#holds]) part.clear()
  }

  get(cid: CID): Uint8Array | undefined {
    return this.blocks.get(blockKey(cid))?.bytes
  }

  has(cid: CID): boolean {
    return this.blocks.has(blockKey(cid))
  }

  /** Replaces bytes that are already there under the multihash, since they may be wrong. */
  put(block: Block): void {
    this.blocks.set(blockKey(block.cid), block)
  }

  /** Returns whether the block was there. Throws `PINNED` while a pin protects it. */
  delete(cid: CID): boolean {
    const key = blockKey(cid)
    if (this.#holds.has(key)) {
      const message = `a pin protects ${cid.toString()}: unpin the root of its DAG first`
      throw new P2plError({ code: 'PINNED', message })
    }
    return this.blocks.delete(key)
  }

  /** Fetches missing blocks, and protects all of them from the first moment on. If that fails, nothing is pinned. */
  async pin(request: PinRequest): Promise<void> {
    const session = this.#session
    const name = nodeKey(request.root)
    const recursive = request.recursive || this.pins.get(name)?.recursive === true
    const keys = new Set<string>()
    try {
      await walkPin(this, { ...request, recursive }, keys)
      request.signal.throwIfAborted()
    } catch (error) {
      // A new session started its counts from zero, without this pin.
      if (this.#session === session) this.#release(keys)
      throw error
    }
    // Another call may have pinned it meanwhile. The new record replaces the old one and its holds.
    const replaced = this.pins.get(name)
    if (replaced?.recursive === true && !recursive) this.#release(keys)
    else {
      this.pins.set(name, { cid: request.root, recursive, keys })
      this.#release(replaced?.keys ?? [])
    }
  }

  unpin(cid: CID): void {
    const name = nodeKey(cid)
    this.#release(this.pins.get(name)?.keys ?? [])
    this.pins.delete(name)
  }

  /** Removes unpinned blocks, one with each step, so that a pin that begins meanwhile still protects its blocks. */
  *gc(): Generator<CID> {
    for (const [key, { cid }] of this.blocks) if (!this.#holds.has(key) && this.blocks.delete(key)) yield cid
  }

  /** Counts one more pin that protects the multihash. */
  hold(key: string): void {
    this.#holds.set(key, (this.#holds.get(key) ?? 0) + 1)
  }

  #release(keys: Iterable<string>): void {
    for (const key of keys) {
      const count = this.#holds.get(key) ?? 0
      if (count > 1) this.#holds.set(key, count - 1)
      else this.#holds.delete(key)
    }
  }
}

export function createMemoryStore(): MemoryStore {
  return new MemoryStore()
}
