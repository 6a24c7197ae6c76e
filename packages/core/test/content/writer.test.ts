import { seededBytes, withSeed } from '@p2pl/tooling-vitest'
import { decode } from '@ipld/dag-pb'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { describe, expect, it } from 'vitest'
import type { DataSource } from '../../src/api/data.ts'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { writeFile } from '../../src/content/writer.ts'
import type { Subtree } from '../../src/content/tree.ts'
import type { Block } from '../../src/port/common.ts'

/** Written by ipfs-unixfs-importer 17.1 for `seededBytes(size, size + 1)`: chunk bytes, links, size, CID. */
const recorded: [number, number, number, string][] = [
  [16, 3, 0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
  [16, 3, 1, 'bafkreigl5tnby7jx2takuvdgeq53jiabrqy36bwxj6tthauq3uygrw2p5u'],
  [16, 3, 15, 'bafkreihaw6tlo7i76khsyzschx6qsklgjt6vxzcqpbbun7cstk6mvmbqh4'],
  [16, 3, 16, 'bafkreigtoggbmhoxop2eg3trntscmkrhxf5o4jb4mv3hryzxieaonwxpm4'],
  [16, 3, 17, 'bafybeiehzbjc6ribxd7veg6ebmf62x23hxg2yidfno5ddgutdyvdvydca4'],
  [16, 3, 47, 'bafybeihzqnyjlru44jw7cae4ksxs3li3uhub42egjbjurccm4um74pceum'],
  [16, 3, 48, 'bafybeieu5u5qu22u2enftawmapyufjrxs63q3bqc3g3n2jgsp42irw4bwm'],
  [16, 3, 49, 'bafybeidb6brxaomine5nornunbyp6ed5lfub6rf6a6rxkrx63wdyhzjtf4'],
  [16, 3, 143, 'bafybeieanph4rdwldpftvhi7dkppqfubhs4zatmphcwfdmcjmujjcp6thm'],
  [16, 3, 144, 'bafybeib2rvpuqdbuwokmrtgk276yzb7kbabbqa2ict5gusapvxv6ds6zlm'],
  [16, 3, 145, 'bafybeiesg7iyh3j64zjw3sjxqqp4jkdt7xa3vcloayslyzl3xncxjkfnty'],
  [16, 3, 432, 'bafybeih3bqfz7x7j2u3hvbn3fctzql2jfl665jnkart6d2b5mpa5igu5ry'],
  [16, 3, 433, 'bafybeieexarsbcf3lp4up55xls7v3xsmqvr3zo2bf5msjgckyzl2tx7jfm'],
  [16, 3, 1000, 'bafybeic2ofiqy7hxfmborvrxs64rfp5fny4gb6e2kdh42pez6urkjv2et4'],
  [16, 1024, 16368, 'bafybeien7dlwg6esxswjwnsxt7noecrg4tmgg6vgkfujrx3uabdshrektq'],
  [16, 1024, 16384, 'bafybeih7jubcvlz333demuu2ju5dprqtfx7b7jqxqdnc7r6hfgnxqo7ema'],
  [16, 1024, 16400, 'bafybeicdqxineu4xnlfneoqwr5j2b4xs74no6ukaxxpm5i46pthfgo2kdm'],
  [16, 1024, 16385, 'bafybeigbq5lx344ueryfv7ttgk6fyeysqt4e3iqlicwfkklzuyy6tsi4ni'],
  [16, 1024, 32773, 'bafybeifiyjxejkp5gv4dzmecvdgvbebzwrcngwixfiw24nmmhcl4azs76i']
]

async function write(source: DataSource, chunkBytes: number, maxLinks: number): Promise<Subtree & { blocks: Block[] }> {
  const blocks: Block[] = []
  const root = await writeFile(source, {
    layout: { chunkBytes, maxLinks },
    operation: 'test',
    store: async (batch) => {
      blocks.push(...batch)
    },
    next: (work) => work
  })
  return { ...root, blocks }
}

describe('the layout of a file', () => {
  it.each(recorded)('with chunks of %i bytes and %i links, %i bytes, is that of the importer', async (...row) => {
    const [chunkBytes, maxLinks, size, cid] = row
    const root = await write(seededBytes(size, size + 1), chunkBytes, maxLinks)
    expect(root.cid.toString()).toBe(cid)
    expect(root.contentBytes).toBe(size)
    expect(root.blockBytes).toBe(root.blocks.reduce((sum, block) => sum + block.bytes.byteLength, 0))
  })

  it('does not depend on how the source is cut, or on what kind of source it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20 }),
        async (bytes, cuts) => {
          const pieces: Uint8Array[] = []
          let at = 0
          for (const cut of cuts) {
            pieces.push(bytes.subarray(at, at + cut))
            at += cut
          }
          pieces.push(bytes.subarray(at))
          async function* later(): AsyncGenerator<Uint8Array> {
            // The memory of each piece is used again, as readers with one buffer do.
            for (const piece of pieces) {
              const reused = piece.slice()
              yield reused
              reused.fill(0xee)
            }
          }
          const expected = (await write(bytes, 16, 3)).cid.toString()
          const own = new Uint8Array(bytes)
          const sources: DataSource[] = [
            pieces,
            later(),
            new Blob(pieces.map((piece) => new Uint8Array(piece))),
            new Blob([own]).stream(),
            Buffer.from(bytes)
          ]
          for (const source of sources) expect((await write(source, 16, 3)).cid.toString()).toBe(expected)
        }
      ),
      { seed: 1, numRuns: 60 }
    )
  })

  it('copies nothing of an array, and keeps no more than it needs of a stream', async () => {
    const bytes = seededBytes(100, 1)
    const { blocks } = await write(bytes, 16, 3)
    const leaves = blocks.filter((block) => block.cid.code === 0x55)
    expect(leaves.every((leaf) => leaf.bytes.buffer === bytes.buffer)).toBe(true)
    const streamed = await write([bytes.subarray(0, 10)], 1_048_576, 1024)
    expect(streamed.blocks[0]?.bytes.buffer.byteLength).toBe(10)
  })
})

describe('large files', () => {
  const sizes = [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, 2 ** 40 + 3, 2 ** 52]
  it.each(sizes)('of %i bytes have nodes that others can read', async (size) => {
    const { cid } = await write(new Uint8Array(1), 16, 3)
    const node = decode(
      encodeInnerNode([
        { cid, contentBytes: size, blockBytes: size + 100 },
        { cid, contentBytes: 1, blockBytes: 1 }
      ])
    )
    expect(UnixFS.unmarshal(node.Data as Uint8Array).blockSizes).toEqual([BigInt(size), 1n])
    expect(node.Links.map((link) => link.Tsize)).toEqual([size + 100, 1])
  })
})

describe('batches', () => {
  it('hold at most 64 blocks and 16 MiB, with two under way, and a slow store holds up the source', async () => {
    let underWay = 0
    let most = 0
    let read = 0
    const sizes: number[] = []
    const waiting: (() => void)[] = []
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; read < 1_000; read++) yield new Uint8Array(16).fill(read)
    }
    let done = false
    const work = writeFile(source(), {
      layout: { chunkBytes: 16, maxLinks: 1024 },
      operation: 'test',
      store: async (blocks) => {
        sizes.push(blocks.length)
        underWay++
        most = Math.max(most, underWay)
        await new Promise<void>((resolve) => waiting.push(resolve))
        underWay--
      },
      next: (item) => item
    }).then(() => {
      done = true
    })
    const idle = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
    }
    for (;;) {
      let before = -1
      while (before !== read) {
        before = read
        await idle()
      }
      if (done) break
      expect(read).toBeLessThanOrEqual((sizes.length + 1) * 64 + 2)
      waiting.shift()?.()
      await idle()
    }
    await work
    expect(most).toBe(2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_001)
  })

  it('that fail end the write with their error, and the source is told', async () => {
    await withSeed(1, async () => {
      let ended = false
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield new Uint8Array(16)
        } finally {
          ended = true
        }
      }
      const broken = new Error('disk full')
      const work = writeFile(endless(), {
        layout: { chunkBytes: 16, maxLinks: 4 },
        operation: 'test',
        store: async () => {
          throw broken
        },
        next: (item) => item
      })
      await expect(work).rejects.toBe(broken)
      await new Promise((resolve) => setImmediate(resolve))
      expect(ended).toBe(true)
    })
  })
})
