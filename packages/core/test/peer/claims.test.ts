import { describe, expect, it } from 'vitest'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { cidOf } from '../../src/content/hash.ts'
import { codecs } from '../../src/content/layout.ts'
import { createPeer } from '../../src/index.ts'
import type { Network, Peer } from '../../src/index.ts'
import { createClaimStore } from '../../src/peer/claims.ts'
import { StoreBackend } from '../data/store-backend.ts'
import { createBus } from '../support/bus.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

async function peerWith(store: StoreBackend, clock?: VirtualClock): Promise<Peer> {
  return await createPeer({ messages: createBus().backend('bus'), data: store, clock })
}

describe('payloads that travel as a CID', () => {
  it('are read as whatever importer laid them out, but not as millions of blocks', async () => {
    const store = new StoreBackend()
    const peer = await peerWith(store)
    const claims = createClaimStore(peer.data, {} as Network)
    const read = async (chunkBytes: number, count: number): Promise<number> => {
      const chunk = await peer.blocks.put(new Uint8Array(chunkBytes))
      const links = Array.from({ length: count }, () => ({
        cid: chunk,
        contentBytes: chunkBytes,
        blockBytes: chunkBytes
      }))
      const bytes = encodeInnerNode(links)
      const root = await cidOf(codecs.dagPb, bytes)
      await peer.blocks.putMany([{ cid: root, bytes }])
      const signal = new AbortController().signal
      return (await claims.get(root, chunkBytes * count, undefined, signal)).byteLength
    }
    expect(await read(256 * 1024, 8)).toBe(2 * 1024 * 1024)
    store.asked.length = 0
    await expect(read(1, 8_000)).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    expect(store.asked.length).toBeLessThan(100)
    await peer.stop()
  })

  it('are published within the deadline of the call, from the first step on', async () => {
    const clock = new VirtualClock()
    const store = new StoreBackend()
    store.onPut = () => new Promise(() => undefined)
    const peer = await peerWith(store, clock)
    const published = expect(
      peer.topic('t').publish(new Uint8Array(1024 * 1024), { deadline: 100, recipients: 0 })
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(200)
    await published
    const late = new StoreBackend()
    late.onPut = async () => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 80))
    }
    const other = await peerWith(late, clock)
    const nobody = expect(
      other.topic('t').publish(new Uint8Array(1024 * 1024), { deadline: 100 })
    ).rejects.toMatchObject({ code: 'NO_PEERS' })
    await clock.advance(110)
    await nobody
    await Promise.all([peer.stop(), other.stop()])
  })
})
