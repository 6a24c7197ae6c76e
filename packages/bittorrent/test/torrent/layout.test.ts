import { createHash } from 'node:crypto'
import { createPeer } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest'
import { BlackHoleBlockstore } from 'blockstore-core'
import { UnixFS } from 'ipfs-unixfs'
import { importBytes } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { expect, it, test } from 'vitest'
import { bittorrent } from '../../src/index.ts'
import { FileWriter } from '../../src/torrent/layout/file-writer.ts'
import { leavesOf } from '../../src/torrent/layout/leaves.ts'

const mebi = 1_048_576

it('lays a file out as core does, for sizes around the leaf', async () => {
  await using peer = await createPeer({ backend: bittorrent() })
  const sizes = [
    0,
    1,
    2,
    1_000,
    mebi - 1,
    mebi,
    mebi + 1,
    2 * mebi - 1,
    2 * mebi,
    2 * mebi + 1,
    5 * mebi,
    5 * mebi + 17
  ]
  for (const size of sizes) {
    const bytes = seededBytes(size, size)
    const writer = new FileWriter(() => Promise.resolve())
    for (let at = 0; at < size; at += mebi) await writer.add(bytes.subarray(at, at + mebi))
    const { cid } = await peer.data.add(bytes)
    expect((await writer.finish()).toString(), `${size} bytes`).toBe(cid.toString())
  }
})

// CIDs of files of zeros, as `ipfs add` of Kubo gives them with this layout. The library that encodes UnixFS elsewhere writes
// sizes from 2^31 to 2^32 - 1 as garbage.
test.each([
  [2 ** 31 - 1, 'bafybeih3iv7nyrxer35ts5him3gf4x4nijnxhziknc4vfr4iz3gll5ua2q'],
  [2 ** 31, 'bafybeieyiwtflptdh35ga5rvsber2dzcbc7cikzfdwjmndjifuq42d6yhe'],
  [2.5 * 2 ** 30, 'bafybeigqhj4jk6uybxb43emwe34se7mwn4rqqsqk7zbcwhgsyqkv3igl7m'],
  [2 ** 32 - 1, 'bafybeiepcydp4kd63yey2toie3tigrwemrdp5g24rw44ftbpdtkwhcn7ky'],
  [2 ** 32, 'bafybeidtxqruzlcsoiwzdbhebsfnif67v3r2r73etp6cvchma4xftr7izu'],
  [5 * 2 ** 30 + 17, 'bafybeiarydjz4tf2ylbqkuj3emmxpdxtijiewakyqv7xykgrwu72q6qfbe']
])('lays a file of %i bytes out as Kubo does, and reads its leaves back', async (size, expected) => {
  const nodes = new Map<string, Uint8Array>()
  const writer = new FileWriter(({ cid, bytes }) => {
    nodes.set(cid.toString(), bytes)
    return Promise.resolve()
  })
  const leafOf = (length: number): CID => {
    const digest = createHash('sha256').update(new Uint8Array(length)).digest()
    return CID.createV1(raw.code, Digest.create(0x12, new Uint8Array(digest)))
  }
  const whole = leafOf(mebi)
  for (let at = 0; at < size; at += mebi) {
    const length = Math.min(mebi, size - at)
    await writer.addLeaf(length === mebi ? whole : leafOf(length), length)
  }
  const root = await writer.finish()
  expect(root.toString()).toBe(expected)
  const node = dagPb.decode(nodes.get(root.toString()) ?? new Uint8Array())
  expect(Number(UnixFS.unmarshal(node.Data ?? new Uint8Array()).fileSize())).toBe(size)
  const file = await leavesOf(root, (cid) => Promise.resolve(nodes.get(cid.toString())))
  expect([file?.length, file?.leaves.length]).toEqual([size, Math.ceil(size / mebi)])
})

it('does not follow a tree without end', async () => {
  // Each node names the one below it a thousand times.
  const nodes = new Map<string, Uint8Array>()
  let below = CID.createV1(dagPb.code, Digest.create(0x12, new Uint8Array(32)))
  for (let depth = 0; depth < 7; depth++) {
    const file = new UnixFS({ type: 'file' })
    for (let i = 0; i < 1_000; i++) file.addBlockSize(1n)
    const Links = Array.from({ length: 1_000 }, () => ({ Name: '', Hash: below, Tsize: 1 }))
    const bytes = dagPb.encode({ Data: file.marshal(), Links })
    below = CID.createV1(dagPb.code, Digest.create(0x12, new Uint8Array(createHash('sha256').update(bytes).digest())))
    nodes.set(below.toString(), bytes)
  }
  let asked = 0
  const load = (cid: CID): Promise<Uint8Array | undefined> => {
    asked++
    return Promise.resolve(nodes.get(cid.toString()) ?? dagPb.encode({ Data: emptyFile, Links: [] }))
  }
  const emptyFile = new UnixFS({ type: 'file' }).marshal()
  expect(await leavesOf(below, load)).toBeUndefined()
  expect(asked).toBeLessThan(10_000)
})

it('lays files out as the importer of Helia does, for sizes around the leaf and the fan-out', async () => {
  const writer = async (bytes: Uint8Array, chunkSize: number): Promise<CID> => {
    const own = new FileWriter(() => Promise.resolve())
    for (let at = 0; at < bytes.byteLength; at += chunkSize) await own.add(bytes.subarray(at, at + chunkSize))
    return await own.finish()
  }
  const importer = async (bytes: Uint8Array, chunkSize: number): Promise<CID> => {
    const { cid } = await importBytes(bytes, new BlackHoleBlockstore(), {
      cidVersion: 1,
      rawLeaves: true,
      reduceSingleLeafToSelf: true,
      chunker: fixedSize({ chunkSize }),
      layout: balanced({ maxChildrenPerNode: 1_024 })
    })
    return cid
  }
  // Leaves of 16 bytes make the fan-out of 1,024 cheap: a file of 1 GiB has the same tree.
  const small = [1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 4_097].map((leaves) => [leaves * 16, 16] as const)
  const large = [0, 1, mebi - 1, mebi, mebi + 1, 2 * mebi, 3 * mebi + 1].map((size) => [size, mebi] as const)
  for (const [size, chunkSize] of [...small, ...large]) {
    const bytes = seededBytes(size, size)
    const [ours, theirs] = [await writer(bytes, chunkSize), await importer(bytes, chunkSize)]
    expect(ours.toString(), `${size} bytes in leaves of ${chunkSize}`).toBe(theirs.toString())
  }
})

it('lays files out as Kubo and Helia do around the fan-out of 1,024 leaves', async () => {
  // The leaves are empty here: only the shape of the tree is looked at, by the number of nodes in each level.
  const shape = async (leaves: number): Promise<number[]> => {
    const links: number[] = []
    const writer = new FileWriter(async ({ cid, bytes }) => {
      if (cid.code === 0x70) links.push(countLinks(bytes))
    })
    for (let i = 0; i < leaves; i++) await writer.add(new Uint8Array())
    await writer.finish()
    return links
  }
  expect(await shape(1)).toEqual([])
  expect(await shape(1_023)).toEqual([1_023])
  expect(await shape(1_024)).toEqual([1_024])
  expect(await shape(1_025)).toEqual([1_024, 1, 2])
  expect(await shape(2_048)).toEqual([1_024, 1_024, 2])
  expect(await shape(2_049)).toEqual([1_024, 1_024, 1, 3])
})

/** Links of a dag-pb node: its fields of number 2. */
function countLinks(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.byteLength;) {
    const tag = bytes[at++]
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (tag === 0x12) count++
    at += length
  }
  return count
}
