import { P2plError, bytesKey, linksOf, type Block, type PinOptions } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { FakeStore } from './network.ts'

/** Adds the multihashes below a root, as far as they are stored. */
function hold(keys: Set<string>, blocks: ReadonlyMap<string, Block>, root: CID, recursive: boolean): void {
  const key = bytesKey(root.multihash.bytes)
  if (keys.has(key)) return
  keys.add(key)
  const block = blocks.get(key)
  if (recursive && block !== undefined)
    for (const link of linksOf(root, block.bytes) ?? []) hold(keys, blocks, link, true)
}

/** Pins of one store, including those under way: they already protect, but are not listed yet. */
export class FakePins {
  readonly #store: FakeStore
  readonly #underWay = new Set<{ readonly cid: CID; readonly recursive: boolean }>()

  constructor(store: FakeStore) {
    this.#store = store
  }

  protected(): Set<string> {
    const keys = new Set<string>()
    const { blocks, pins } = this.#store
    for (const { cid, recursive } of [...pins.values(), ...this.#underWay]) {
      // Separate from the others, because a direct pin of a root must not hide a recursive one.
      const own = new Set<string>()
      hold(own, blocks, cid, recursive)
      for (const key of own) keys.add(key)
    }
    return keys
  }

  async pin(cid: CID, options: PinOptions, get: (cid: CID) => Promise<Uint8Array>): Promise<void> {
    const { recursive = true, maxBytes = Infinity, onProgress, signal } = options
    const { pins } = this.#store
    const pin = { cid, recursive }
    this.#underWay.add(pin)
    try {
      const seen = new Set<string>()
      let bytes = 0
      const walk = async (at: CID): Promise<void> => {
        if (seen.has(at.toString())) return
        seen.add(at.toString())
        const block = await get(at)
        bytes += block.byteLength
        if (bytes > maxBytes)
          throw new P2plError({ code: 'TOO_LARGE', message: `the pin holds over ${maxBytes} bytes` })
        onProgress?.({ bytes, blocks: seen.size })
        if (recursive) for (const link of linksOf(at, block) ?? []) await walk(link)
      }
      await walk(cid)
      signal.throwIfAborted()
      const key = bytesKey(cid.multihash.bytes)
      if (pins.get(key)?.recursive !== true || recursive) pins.set(key, pin)
    } finally {
      this.#underWay.delete(pin)
    }
  }
}
