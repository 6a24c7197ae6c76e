import type { Block, DataSource } from '@p2pl/core'
import { type FileLayout, profile, writeFile } from '@p2pl/core/content'
import type { CID } from 'multiformats/cid'
import { type Metadata, withMetadata } from './metadata.ts'

export interface LayOutOptions {
  readonly operation: string
  /** Takes blocks in the order in which they are made. */
  store(blocks: readonly Block[]): Promise<void>
  /** Waits for the source. */
  next<T>(work: Promise<T>): Promise<T>
  /** Default: the profile. */
  readonly layout?: FileLayout | undefined
}

export interface Placed {
  readonly cid: CID
  /** Bytes of all blocks. */
  readonly blockBytes: number
}

/** Lays out one file. Mode and mtime are stored in the root. */
export async function layOut(source: DataSource, from: Metadata, options: LayOutOptions): Promise<Placed> {
  const { layout = profile } = options
  if (from.mode === undefined && from.mtime === undefined) return await writeFile(source, { ...options, layout })
  // The root is the last block.
  let last: Block | undefined
  const store = async (blocks: readonly Block[]): Promise<void> => {
    const ready = last === undefined ? blocks.slice(0, -1) : [last, ...blocks.slice(0, -1)]
    last = blocks.at(-1) ?? last
    if (ready.length > 0) await options.store(ready)
  }
  const { blockBytes } = await writeFile(source, { ...options, layout, store })
  const bare = last as unknown as Block
  const root = await withMetadata(bare, from)
  await options.store([root])
  return { cid: root.cid, blockBytes: blockBytes - bare.bytes.byteLength + root.bytes.byteLength }
}

/** The CID of these bytes without mode and mtime. Nothing is stored. */
export async function fileCid(source: DataSource): Promise<CID> {
  const options = {
    operation: 'unixfs.toFolder',
    store: async () => undefined,
    next: async <T>(work: Promise<T>) => await work
  }
  return (await layOut(source, {}, options)).cid
}
