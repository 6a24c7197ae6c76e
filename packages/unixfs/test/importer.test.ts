import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { seededBytes, withSeed } from '@p2pl/tooling-vitest'
import { MemoryBlockstore } from 'blockstore-core'
import { importBytes, importFile } from 'ipfs-unixfs-importer'
import { fixedSize, rabin } from 'ipfs-unixfs-importer/chunker'
import { balanced, flat, trickle } from 'ipfs-unixfs-importer/layout'
import type { ImporterOptions } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const mebibyte = 1024 * 1024
let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ backend: memory() })
})
afterAll(async () => {
  await peer.stop()
})

/** What the importer writes goes into the peer. */
async function importInto(bytes: Uint8Array, options: ImporterOptions): Promise<CID> {
  const puts: Promise<void>[] = []
  const store = {
    put: async (cid: CID, block: unknown) => {
      puts.push(peer.blocks.putMany([{ cid, bytes: block as Uint8Array }]))
      return cid
    }
  }
  const { cid } = await importBytes(bytes, store, options)
  await Promise.all(puts)
  return cid
}

describe('the writer of core and ipfs-unixfs-importer', () => {
  const sizes = [0, 1, 1000, mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte, 5 * mebibyte + 12_345]
  it.each(sizes)('give equal CIDs for %i bytes', async (size) => {
    await withSeed(size + 1, async (seed) => {
      const bytes = seededBytes(size, seed)
      const expected = await importBytes(bytes, new MemoryBlockstore(), { profile: 'unixfs-v1-2025' })
      const { cid } = await peer.data.add(bytes)
      expect(cid.toString()).toBe(expected.cid.toString())
    })
  })

  it('give equal CIDs where a second level of links begins', async () => {
    // A MiB of zeros over and over: one leaf to store, 1,025 links to it.
    const chunk = new Uint8Array(mebibyte)
    const repeated = (count: number) =>
      async function* () {
        for (let i = 0; i < count; i++) yield chunk
      }
    const expected = await importFile({ content: repeated(1025)() }, new MemoryBlockstore(), {
      profile: 'unixfs-v1-2025'
    })
    const { cid, size } = await peer.data.add(repeated(1025)())
    expect(size).toBe(1025 * mebibyte)
    expect(cid.toString()).toBe(expected.cid.toString())
  })
})

describe('files that others laid out', () => {
  const layouts: Record<string, ImporterOptions> = {
    'unixfs-v0-2015': { profile: 'unixfs-v0-2015' },
    'CIDv0, dag-pb leaves of type raw, small chunks': {
      cidVersion: 0,
      rawLeaves: false,
      leafType: 'raw',
      chunker: fixedSize({ chunkSize: 1000 })
    },
    'trickle as Kubo makes it': {
      layout: trickle(),
      rawLeaves: false,
      leafType: 'raw',
      reduceSingleLeafToSelf: false,
      cidVersion: 0,
      chunker: fixedSize({ chunkSize: 512 })
    },
    'trickle, raw leaves': { layout: trickle({ maxChildrenPerNode: 3 }), chunker: fixedSize({ chunkSize: 4096 }) },
    'deep: two links in a node': {
      layout: balanced({ maxChildrenPerNode: 2 }),
      chunker: fixedSize({ chunkSize: 2048 })
    },
    flat: { layout: flat(), chunker: fixedSize({ chunkSize: 4096 }) },
    rabin: { chunker: rabin({ avgChunkSize: 8192 }) }
  }
  it.each(Object.keys(layouts))('are read whole and in ranges: %s', async (name) => {
    await withSeed(7, async (seed, random) => {
      const bytes = seededBytes(300_000, seed)
      const cid = await importInto(bytes, { ...layouts[name] })
      expect(Buffer.compare(await peer.data.bytes(cid), bytes)).toBe(0)
      expect(await peer.data.stat(cid)).toMatchObject({ kind: 'file', size: bytes.byteLength })
      for (let i = 0; i < 20; i++) {
        const offset = Math.floor(random() * 300_000)
        const length = Math.floor(random() * 50_000)
        const part = await peer.data.bytes(cid, { offset, length })
        expect(Buffer.compare(part, bytes.subarray(offset, offset + length))).toBe(0)
      }
    })
  })

  it('with mode and mtime in a single node are read', async () => {
    const puts: Promise<void>[] = []
    const { cid } = await importFile(
      { content: new TextEncoder().encode('inline'), mode: 0o600, mtime: { secs: 5n } },
      {
        put: async (key, block) => {
          puts.push(peer.blocks.putMany([{ cid: key, bytes: block as Uint8Array }]))
          return key
        }
      },
      { profile: 'unixfs-v1-2025' }
    )
    await Promise.all(puts)
    expect(cid.code).toBe(0x70)
    expect(new TextDecoder().decode(await peer.data.bytes(cid))).toBe('inline')
  })
})
