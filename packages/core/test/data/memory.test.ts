import { describe, expect, it } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { contextOf, storeBackend } from './store-backend.ts'

const mebibyte = 1024 * 1024
const size = 256 * mebibyte

/** Memory that is held in array buffers, after what is garbage is gone. */
function heldBytes(): number {
  globalThis.gc?.()
  // Array buffers are given back on a thread of their own, which another collection waits for.
  globalThis.gc?.()
  return process.memoryUsage().arrayBuffers
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  // The reader of a file with one buffer.
  const piece = new Uint8Array(64 * 1024)
  for (let at = 0; at < size; at += piece.byteLength) {
    piece.fill(at / piece.byteLength)
    yield piece
  }
}

describe('memory', () => {
  it('holds two batches and the one being filled while 256 MiB are added to a store that keeps nothing', async () => {
    const { setFlagsFromString } = await import('node:v8')
    const { runInNewContext } = await import('node:vm')
    setFlagsFromString('--expose-gc')
    globalThis.gc = runInNewContext('gc') as typeof globalThis.gc
    const backend = await storeBackend()
    const before = heldBytes()
    let most = 0
    let batches = 0
    let root: Uint8Array | undefined
    backend.onPut = async (blocks) => {
      batches++
      for (const { cid, bytes } of blocks) if (cid.code === 0x70) root = bytes
      // As slow as a store that goes to disk, so that the writer runs ahead as far as it may.
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, heldBytes() - before)
    }
    const data = createData(contextOf(backend))
    const { cid, size: added } = await data.add(pieces())
    expect(added).toBe(size)
    expect(batches).toBeGreaterThanOrEqual(size / (16 * mebibyte))
    // Two batches of 16 MiB under way, one that fills, a chunk in the making.
    expect(most).toBeLessThan(52 * mebibyte)

    const leaf = new Uint8Array(mebibyte)
    most = 0
    let fetched = 0
    backend.onGet = async (asked) => {
      if (asked.code === 0x70) return root as Uint8Array
      if (++fetched % 16 === 0) most = Math.max(most, heldBytes() - before)
      return leaf.slice()
    }
    let read = 0
    // The store has nothing to give back, so that it is trusted here: the window is what counts.
    for await (const chunk of createData(contextOf(backend, { trust: 'backend' })).get(cid)) read += chunk.byteLength
    expect(read).toBe(size)
    // 16 MiB ahead, and what the collector has not given back yet.
    expect(most).toBeLessThan(48 * mebibyte)
  })
})
