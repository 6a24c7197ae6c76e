import type { Block, Peer } from '@p2pl/core'
import type { ProgressDeadline } from './progress-deadline.ts'

const maxBatchBytes = 16 * 1024 * 1024
const maxBatchBlocks = 64
const maxInFlight = 2

/**
 * Takes blocks one by one and stores them in batches, at most two under way. `put` waits only while both are, so
 * that memory stays bounded; a failure shows at the next `put`, at the latest in `finish`.
 */
export class WriteBehind {
  readonly #store: (blocks: readonly Block[]) => Promise<void>
  readonly #inFlight = new Set<Promise<void>>()
  #blocks: Block[] = []
  #bytes = 0
  #failure: { readonly error: unknown } | undefined

  constructor(peer: Pick<Peer, 'blocks'>, progress: Pick<ProgressDeadline, 'signal' | 'renew'>) {
    this.#store = async (blocks) => {
      await peer.blocks.putMany(blocks, { signal: progress.signal })
      progress.renew()
    }
  }

  async put(block: Block): Promise<void> {
    this.#check()
    this.#blocks.push(block)
    this.#bytes += block.bytes.byteLength
    if (this.#blocks.length >= maxBatchBlocks || this.#bytes >= maxBatchBytes) this.#send()
    while (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight)
    this.#check()
  }

  async finish(): Promise<void> {
    this.#check()
    this.#send()
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
    this.#check()
  }

  #send(): void {
    const blocks = this.#blocks
    this.#blocks = []
    this.#bytes = 0
    if (blocks.length === 0) return
    const batch: Promise<void> = this.#store(blocks)
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#inFlight.delete(batch))
    this.#inFlight.add(batch)
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
