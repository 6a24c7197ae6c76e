import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { cidOf } from '../../src/content/hash.ts'
import { codecs } from '../../src/content/layout.ts'
import { createPeer } from '../../src/index.ts'
import type { Peer } from '../../src/index.ts'
import { createClaimStore, type OwnClaimStore } from '../../src/peer/claims.ts'
import { type StoreBackend, storeBackend } from '../data/store-backend.ts'
import { createBus } from '../support/bus.ts'
import { settle } from '../support/virtual-clock.ts'

const block = 1024 * 1024
const maxFetchedBytes = 4 * block

interface Receiver {
  readonly peer: Peer
  readonly store: StoreBackend
  readonly claims: OwnClaimStore
  /** What strangers serve. */
  readonly remote: Map<string, Uint8Array>
  readonly stored: () => number
  readonly claim: (cid: CID, size: number) => Promise<number | undefined>
}

const key = (cid: CID): string => cid.multihash.bytes.join()

/** A peer whose store keeps what it fetches from strangers. */
async function receiver(): Promise<Receiver> {
  const store = await storeBackend({ blocks: { keepsFetched: true, remote: true } })
  const remote = new Map<string, Uint8Array>()
  store.onGet = (cid) => {
    const bytes = remote.get(key(cid))
    if (bytes === undefined || store.map.has(key(cid))) return undefined
    store.map.set(key(cid), bytes)
    return Promise.resolve(bytes)
  }
  const peer = await createPeer({ messages: createBus().backend('bus'), data: store })
  const { data, blocks, environment } = peer
  const claims = createClaimStore({ data, blocks, environment, keepsFetched: true, maxFetchedBytes })
  const claim = async (cid: CID, size: number): Promise<number | undefined> =>
    await new Promise((resolve) => {
      const { signal } = new AbortController()
      const done = (payload: Uint8Array | undefined): void => resolve(payload?.byteLength)
      claims.fetcher.request({ sender: 's', cid, size, providers: [], signal, done })
    })
  const stored = (): number => [...store.map.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0)
  return { peer, store, claims, remote, stored, claim }
}

async function serve(remote: Map<string, Uint8Array>, codec: number, bytes: Uint8Array): Promise<CID> {
  const cid = await cidOf(codec, bytes)
  remote.set(key(cid), bytes)
  return cid
}

describe('what strangers leave in the store', () => {
  it('counts as what it is: not as a claim of no bytes says', async () => {
    const { peer, remote, stored, claim } = await receiver()
    for (let i = 0; i < 20; i++) {
      const cid = await serve(remote, codecs.raw, new Uint8Array(block).fill(i))
      expect(await claim(cid, 0)).toBe(undefined)
    }
    await settle()
    expect(stored()).toBeLessThanOrEqual(maxFetchedBytes)
    await peer.stop()
  })

  it('counts as what it is: not as a root says of large leaves', async () => {
    const { peer, remote, stored, claim } = await receiver()
    for (let round = 0; round < 4; round++) {
      const links = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const cid = await serve(remote, codecs.raw, new Uint8Array(block).fill(round * 8 + i))
          return { cid, contentBytes: 1, blockBytes: 1 }
        })
      )
      expect(await claim(await serve(remote, codecs.dagPb, encodeInnerNode(links)), 8)).toBe(undefined)
      await settle()
    }
    expect(stored()).toBeLessThanOrEqual(maxFetchedBytes)
    await peer.stop()
  })

  it('takes nothing with it that was here before, or that the app has stored meanwhile', async () => {
    const { peer, store, claims, remote, claim } = await receiver()
    const own = new Uint8Array(block).fill(1)
    const cid = await peer.blocks.put(own)
    const root = await serve(remote, codecs.dagPb, encodeInnerNode([{ cid, contentBytes: block, blockBytes: block }]))
    expect(await claim(root, block)).toBe(block)
    const later = await serve(remote, codecs.raw, new Uint8Array(block).fill(2))
    expect(await claim(later, block)).toBe(block)
    claims.own(later)
    for (let i = 10; i < 20; i++) {
      expect(await claim(await serve(remote, codecs.raw, new Uint8Array(block).fill(i)), block)).toBe(block)
    }
    await settle()
    expect(store.map.has(key(root))).toBe(false)
    expect(store.map.has(key(cid))).toBe(true)
    expect(store.map.has(key(later))).toBe(true)
    await peer.stop()
  })

  it('is kept for the app that stores the same block by any call', async () => {
    for (const keep of [
      async (peer: Peer, bytes: Uint8Array) => await peer.blocks.put(bytes),
      async (peer: Peer, bytes: Uint8Array, cid: CID) => await peer.blocks.putMany([{ cid, bytes }]),
      async (peer: Peer, bytes: Uint8Array) => await peer.data.add(bytes, { pin: false })
    ]) {
      const bus = createBus()
      const { store, remote } = await receiver()
      const peer = await createPeer({
        messages: bus.backend('ben'),
        data: await storeBackend({ blocks: { keepsFetched: true } }).then((own) => {
          own.onGet = (cid) => {
            const bytes = remote.get(key(cid))
            if (bytes !== undefined) own.map.set(key(cid), bytes)
            return undefined
          }
          return Object.assign(own, { maps: store })
        }),
        limits: { maxFetchedBytes: block }
      })
      const subscription = peer.topic('t').subscribe()
      await subscription.joined
      const sender = await createPeer({ messages: bus.backend('ann'), data: await storeBackend() })
      const send = async (fill: number): Promise<void> => {
        const bytes = new Uint8Array(block).fill(fill)
        await serve(remote, codecs.raw, bytes)
        await sender.topic('t').publish(bytes)
        await subscription.next()
      }
      await send(1)
      const bytes = new Uint8Array(block).fill(1)
      const cid = await cidOf(codecs.raw, bytes)
      await keep(peer, bytes, cid)
      await send(2)
      await send(3)
      await settle()
      expect(await peer.blocks.has(cid)).toBe(true)
      expect(await peer.blocks.has(await cidOf(codecs.raw, new Uint8Array(block).fill(2)))).toBe(false)
      await Promise.all([peer.stop(), sender.stop()])
    }
  })
})
