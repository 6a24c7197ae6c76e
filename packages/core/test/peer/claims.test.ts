import { describe, expect, it } from 'vitest'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { cidOf } from '../../src/content/hash.ts'
import { codecs } from '../../src/content/layout.ts'
import { createPeer } from '../../src/index.ts'
import type { Peer } from '../../src/index.ts'
import { createClaimStore } from '../../src/peer/claims.ts'
import { type StoreBackend, storeBackend } from '../data/store-backend.ts'
import { createBus } from '../support/bus.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

async function peerWith(store: StoreBackend, clock?: VirtualClock): Promise<Peer> {
  return await createPeer({ messages: createBus().backend('bus'), data: store, environment: clock && { clock } })
}

describe('payloads that travel as a CID', () => {
  it('are read as whatever importer laid them out, but not as millions of blocks', async () => {
    const store = await storeBackend()
    const peer = await peerWith(store)
    const { fetcher } = createClaimStore({
      data: peer.data,
      blocks: peer.blocks,
      environment: peer.environment,
      keepsFetched: false,
      maxFetchedBytes: 1
    })
    const read = async (chunkBytes: number, count: number): Promise<number | undefined> => {
      const chunk = await peer.blocks.put(new Uint8Array(chunkBytes))
      const links = Array.from({ length: count }, () => ({
        cid: chunk,
        contentBytes: chunkBytes,
        blockBytes: chunkBytes
      }))
      const bytes = encodeInnerNode(links)
      const root = await cidOf(codecs.dagPb, bytes)
      await peer.blocks.putMany([{ cid: root, bytes }])
      const { signal } = new AbortController()
      const size = chunkBytes * count
      return await new Promise<number | undefined>((resolve) => {
        const done = (payload: Uint8Array | undefined): void => resolve(payload?.byteLength)
        fetcher.request({ sender: 's', cid: root, size, providers: [], signal, done })
      })
    }
    expect(await read(256 * 1024, 8)).toBe(2 * 1024 * 1024)
    store.asked.length = 0
    expect(await read(1, 8_000)).toBe(undefined)
    expect(store.asked.length).toBeLessThan(100)
    await peer.stop()
  })

  it('are published within the timeout of the call, from the first step on', async () => {
    const clock = new VirtualClock()
    const store = await storeBackend()
    store.onPut = () => new Promise(() => undefined)
    const peer = await peerWith(store, clock)
    const published = expect(
      peer.topic('t').publish(new Uint8Array(1024 * 1024), { timeout: 100, recipients: 0 })
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    await clock.advance(200)
    await published
    const late = await storeBackend()
    late.onPut = async () => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 80))
    }
    const other = await peerWith(late, clock)
    const nobody = expect(
      other.topic('t').publish(new Uint8Array(1024 * 1024), { timeout: 100 })
    ).rejects.toMatchObject({ code: 'NO_PEERS' })
    await clock.advance(110)
    await nobody
    await Promise.all([peer.stop(), other.stop()])
  })
})
