import type { Block } from '@p2pl/core/backend'
import type { Blocks } from './call.ts'

/** Whether the blocks can be handed in a second time. Everything but an array may be readable only once. */
export function isRepeatable(blocks: Blocks): blocks is readonly Block[] {
  return Array.isArray(blocks)
}

/** The same blocks; `onPull` is called before one is asked for, `onBlock` when it is there. */
export async function* observe(
  blocks: Blocks,
  observer: { onPull?: () => void; onBlock?: (block: Block) => void }
): AsyncGenerator<Block> {
  observer.onPull?.()
  for await (const block of blocks) {
    observer.onBlock?.(block)
    yield block
    observer.onPull?.()
  }
}
