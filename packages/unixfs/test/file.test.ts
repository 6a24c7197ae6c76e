import type { Block } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest'
import { MemoryBlockstore } from 'blockstore-core'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { decode } from '@ipld/dag-pb'
import { encodeInnerNode } from '@p2pl/core/content'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { fileCid, layOut, type Placed } from '../src/file.ts'
import { withMetadata } from '../src/metadata.ts'

const kib = 1024
const metadata = { mode: 0o600, mtime: { secs: 1_700_000_000n, nsecs: 5 } }

/** The root of a file of chunks of a KiB, and the blocks in the order in which they were stored. */
async function write(bytes: Uint8Array, from: typeof metadata | object): Promise<{ placed: Placed; blocks: Block[] }> {
  const blocks: Block[] = []
  const placed = await layOut(bytes, from, {
    operation: 'test',
    layout: { chunkBytes: kib, maxLinks: 1024 },
    store: async (more) => {
      blocks.push(...more)
    },
    next: async (work) => await work
  })
  return { placed, blocks }
}

describe('a file', () => {
  it.each([0, 1, 2, 3, 1023, 1024, 1025, 2049])('of %i chunks is that of the importer', async (chunks) => {
    const content = seededBytes(chunks * kib, chunks + 1)
    // The importer writes metadata into each inner node; here, as in Kubo, it is the root's.
    for (const from of chunks > 1024 ? [{}] : [{}, metadata]) {
      const options = { profile: 'unixfs-v1-2025', chunker: fixedSize({ chunkSize: kib }) } as const
      let expected: { cid: CID; size: bigint } | undefined
      for await (const result of importer([{ content, ...from }], new MemoryBlockstore(), options)) expected = result
      const { placed, blocks } = await write(content, from)
      expect([placed.cid.toString(), BigInt(placed.blockBytes)]).toEqual([expected?.cid.toString(), expected?.size])
      // The root is stored, and no node that nothing leads to.
      expect(blocks.at(-1)?.cid.toString()).toBe(placed.cid.toString())
      const linked = new Set(
        blocks.flatMap(({ cid, bytes }) =>
          cid.code === 0x70 ? decode(bytes).Links.map(({ Hash }) => String(Hash)) : []
        )
      )
      for (const { cid } of blocks.slice(0, -1)) expect(linked).toContain(cid.toString())
    }
  })

  it('has a CID without being stored', async () => {
    const bytes = seededBytes(3_000_000, 1)
    const { cid } = await layOut(
      bytes,
      {},
      {
        operation: 'test',
        store: async () => undefined,
        next: async (work) => await work
      }
    )
    expect((await fileCid(bytes)).toString()).toBe(cid.toString())
  })
})

it.each([2 ** 31 - 1, 2 ** 31, 3 * 2 ** 30, 2 ** 32 - 1, 2 ** 32, 2 ** 40])(
  'a root with metadata keeps sizes of %i bytes so that others can read them',
  async (size) => {
    const cid = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    const bytes = encodeInnerNode([
      { cid, contentBytes: size, blockBytes: size },
      { cid, contentBytes: 1, blockBytes: 1 }
    ])
    const root = await withMetadata({ cid: CID.createV1(0x70, cid.multihash), bytes }, { mode: 0o755 })
    const unixfs = UnixFS.unmarshal(decode(root.bytes).Data as Uint8Array)
    expect([unixfs.blockSizes, unixfs.mode]).toEqual([[BigInt(size), 1n], 0o755])
  }
)
