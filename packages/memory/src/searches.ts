import type { CID } from 'multiformats/cid'
import { blockKey } from './key.ts'

/** The blocks that peers of a network wait for. */
export class Searches {
  /** The functions that wake the searches for a block, by its key. */
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Number of blocks that are being looked for. */
  get size(): number {
    return this.#waiting.size
  }

  /** Looks again after every change that may have brought the block, until it is found or the signal fires. */
  async find(cid: CID, signal: AbortSignal, look: () => Promise<Uint8Array | undefined>): Promise<Uint8Array> {
    let changes = 0
    let wake = (): void => undefined
    const onChange = (): void => {
      changes++
      wake()
    }
    this.#add(cid, onChange)
    signal.addEventListener('abort', onChange, { once: true })
    try {
      for (;;) {
        signal.throwIfAborted()
        const before = changes
        const bytes = await look()
        if (bytes !== undefined) return bytes
        // A change during the look may have brought the block.
        if (changes === before) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', onChange)
      this.#remove(cid, onChange)
    }
  }

  /** Called when a store has received the block. */
  wake(cid: CID): void {
    for (const onChange of this.#waiting.get(blockKey(cid)) ?? []) onChange()
  }

  /** Called when peers have come or are back. */
  wakeAll(): void {
    for (const waiting of this.#waiting.values()) for (const onChange of waiting) onChange()
  }

  #add(cid: CID, onChange: () => void): void {
    const key = blockKey(cid)
    this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(onChange))
  }

  #remove(cid: CID, onChange: () => void): void {
    const key = blockKey(cid)
    const waiting = this.#waiting.get(key)
    if (waiting?.delete(onChange) === true && waiting.size === 0) this.#waiting.delete(key)
  }
}
