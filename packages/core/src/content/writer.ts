import type { DataSource } from '../api/data.ts'
import type { Block, Progress } from '../port/common.ts'
import { Batches } from './batches.ts'
import { chunksOf } from './chunker.ts'
import { cidOf } from './hash.ts'
import { codecs } from './layout.ts'
import type { FileLayout } from './layout.ts'
import { openSource } from './source.ts'
import { TreeBuilder } from './tree.ts'
import type { Subtree } from './tree.ts'

export interface WriteOptions {
  readonly layout: FileLayout
  readonly operation: string
  /** Stores one batch, within the caller's timeout. It may be called again before the previous batch is stored. */
  store(blocks: readonly Block[]): Promise<void>
  /** Waits for the source, within the caller's timeout. */
  next<T>(work: Promise<T>): Promise<T>
  /** Called with the progress so far. Inner nodes count as blocks. */
  onStored?: ((progress: Progress) => void) | undefined
}

/**
 * Writes one file and returns its root. Only the last batches are held in memory. An error of the source is thrown
 * unchanged. The source is told to end whenever writing stops early.
 */
export async function writeFile(source: DataSource, options: WriteOptions): Promise<Subtree> {
  const { layout, operation } = options
  const pieces = openSource(source, layout.chunkBytes, operation)
  const stored = { bytes: 0, blocks: 0 }
  const batches = new Batches(async (blocks) => {
    await options.store(blocks)
    stored.blocks += blocks.length
    for (const { cid, bytes } of blocks) if (cid.code === codecs.raw) stored.bytes += bytes.byteLength
    options.onStored?.({ ...stored, total: pieces.total })
  })
  const tree = new TreeBuilder(layout.maxLinks, (block) => batches.add(block))
  const addLeaf = async (bytes: Uint8Array): Promise<void> => {
    const digest = cidOf(codecs.raw, bytes)
    const cid = digest instanceof Promise ? await digest : digest
    const wait = batches.add({ cid, bytes })
    if (wait !== undefined) await wait
    await tree.add({ cid, contentBytes: bytes.byteLength, blockBytes: bytes.byteLength })
  }
  let exhausted = false
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const item = await options.next(pieces.iterator.next())
    if (item.done === true) exhausted = true
    return item
  }
  try {
    let empty = true
    for await (const chunk of chunksOf(pieces, layout.chunkBytes, next, operation)) {
      empty = false
      await addLeaf(chunk)
    }
    if (empty) await addLeaf(new Uint8Array(0))
    const root = await tree.finish()
    await batches.finish()
    return root
  } catch (error) {
    if (!exhausted) endSource(pieces.iterator)
    throw error
  }
}

/** Nobody waits for this: a source that hangs would hold up the error that is to be reported. */
function endSource(iterator: AsyncIterator<Uint8Array>): void {
  void (async () => {
    await iterator.return?.()
  })().catch(() => undefined)
}
