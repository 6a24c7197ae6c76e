import type { Block } from '../port/common.ts'

const maxBatchBytes = 16 * 1024 * 1024
const maxBatchBlocks = 64
const maxInFlight = 2

/**
 * Hands blocks to a store in batches of at most 16 MiB and 64 blocks, two at a time, so that hashing goes on while
 * the store works, and memory stays bounded however slow it is.
 */
export class Batches {
  readonly #store: (blocks: readonly Block[], bytes: number) => Promise<void>
  readonly #inFlight = new Set<Promise<void>>()
  #blocks: Block[] = []
  #bytes = 0
  #failure: { readonly error: unknown } | undefined

  constructor(store: (blocks: readonly Block[], bytes: number) => Promise<void>) {
    this.#store = store
  }

  /** Returns a promise only if the caller has to wait for the store. */
  add(block: Block): Promise<void> | undefined {
    const full =
      this.#blocks.length > 0 &&
      (this.#blocks.length === maxBatchBlocks || this.#bytes + block.bytes.byteLength > maxBatchBytes)
    const wait = full ? this.#send() : undefined
    this.#blocks.push(block)
    this.#bytes += block.bytes.byteLength
    return wait
  }

  /** Resolves when everything is stored. */
  async finish(): Promise<void> {
    await this.#send()
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
    this.#check()
  }

  async #send(): Promise<void> {
    const blocks = this.#blocks
    const bytes = this.#bytes
    this.#blocks = []
    this.#bytes = 0
    this.#check()
    if (blocks.length > 0) {
      const batch: Promise<void> = this.#store(blocks, bytes)
        .catch((error: unknown) => {
          this.#failure ??= { error }
        })
        .finally(() => this.#inFlight.delete(batch))
      this.#inFlight.add(batch)
    }
    while (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight)
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
