import { decode } from '@ipld/dag-pb'
import { seededBytes } from '@p2pl/tooling-vitest'
import { MemoryBlockstore } from 'blockstore-core'
import { UnixFS } from 'ipfs-unixfs'
import { importBytes, importer } from 'ipfs-unixfs-importer'
import type { WritableStorage } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { CID } from 'multiformats/cid'
import { expect, it } from 'vitest'
import { balancedLayout } from '../src/layout.ts'

const kib = 1024

/** The importer with the layout of this package, on chunks of a KiB. */
async function write(bytes: Uint8Array, metadata: { mode?: number; mtime?: { secs: bigint } } = {}): Promise<CID> {
  const store = new MemoryBlockstore()
  const options = { profile: 'unixfs-v1-2025', chunker: fixedSize({ chunkSize: kib }) } as const
  let cid: CID | undefined
  for await (const result of importer([{ content: bytes, ...metadata }], store, {
    ...options,
    layout: balancedLayout(store, metadata)
  })) {
    cid = result.cid
  }
  return cid as CID
}

it.each([0, 1, 2, 3, 1023, 1024, 1025, 2049])('of %i chunks is that of the importer', async (chunks) => {
  const bytes = seededBytes(chunks * kib, chunks + 1)
  const chunker = fixedSize({ chunkSize: kib })
  const expected = await importBytes(bytes, new MemoryBlockstore(), { profile: 'unixfs-v1-2025', chunker })
  expect((await write(bytes)).toString()).toBe(expected.cid.toString())
})

it('keeps mode and mtime like the importer, in one leaf and in several', async () => {
  for (const chunks of [1, 5]) {
    const content = seededBytes(chunks * kib, 9)
    const metadata = { mode: 0o600, mtime: { secs: 1_700_000_000n, nsecs: 5 } }
    const options = { profile: 'unixfs-v1-2025', chunker: fixedSize({ chunkSize: kib }) } as const
    let expected: string | undefined
    for await (const { cid } of importer([{ content, ...metadata }], new MemoryBlockstore(), { ...options })) {
      expected = cid.toString()
    }
    expect((await write(content, metadata)).toString()).toBe(expected)
  }
})

it.each([2 ** 31 - 1, 2 ** 31, 3 * 2 ** 30, 2 ** 32 - 1, 2 ** 32, 2 ** 40])(
  'writes sizes of %i bytes so that others can read them',
  async (size) => {
    const blocks: Uint8Array[] = []
    const store: WritableStorage = {
      put: async (cid, bytes) => {
        blocks.push(bytes as Uint8Array)
        return cid
      }
    }
    const cid = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    // Two leaves as the importer would report them, without their bytes.
    const leaves = [
      { cid, size: BigInt(size) },
      { cid, size: 1n }
    ]
    const result = await balancedLayout(store, { mode: 0o755 })(leaves, () => {
      throw new Error('not a single leaf')
    })
    const unixfs = UnixFS.unmarshal(decode(blocks[0] as Uint8Array).Data as Uint8Array)
    expect(unixfs.blockSizes).toEqual([BigInt(size), 1n])
    expect(unixfs.mode).toBe(0o755)
    expect(result.size).toBe(BigInt(size + 1 + (blocks[0] as Uint8Array).byteLength))
  }
)
