import { createPeer, P2plError, type Peer } from '@p2pl/core'
import { createBackends, loadConfig } from '@p2pl/config'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it } from 'vitest'
import type { CID } from 'multiformats/cid'
import { type Copies, DocumentKeeper } from '../src/node/document-keeper.ts'
import { cidOf } from './support.ts'

const peers: Peer[] = []

async function newPeer(): Promise<Peer> {
  const config = await loadConfig({ env: {}, file: false, overrides: { backend: 'memory' } })
  const peer = await createPeer(await createBackends(config))
  peers.push(peer)
  return peer
}

/** Holds what a state stores about documents. */
class TestCopies implements Copies {
  readonly kept = new Set<string>()

  async isMissing(cid: CID): Promise<boolean> {
    return !this.kept.has(cid.toString())
  }

  async found(cid: CID): Promise<void> {
    this.kept.add(cid.toString())
  }
}

const author = 'author'

afterEach(async () => {
  await Promise.all(peers.splice(0).map(async (peer) => await peer.stop()))
})

describe('the keeper of documents', () => {
  it('fetches what others have, and pins it', async () => {
    const [a, b] = [await newPeer(), await newPeer()]
    const { cid, size } = await a.data.add(seededBytes(3_000_000, 1))
    const copies = new TestCopies()
    const keeper = new DocumentKeeper(b, copies)
    await keeper.keep({ cid, size, author })
    await keeper.keep({ cid, size, author })
    await until('it is kept', () => copies.kept.size === 1)
    await a.stop()
    expect(await b.data.has(cid)).toBe(true)
    const pins = []
    for await (const pin of b.data.pins()) pins.push(pin.cid.toString())
    expect(pins).toEqual([cid.toString()])
    keeper.stop()
  })

  it('is not kept from a document by an entry that says too little of its size', async () => {
    const [a, b] = [await newPeer(), await newPeer()]
    const { cid, size } = await a.data.add(seededBytes(50_000, 4))
    const copies = new TestCopies()
    const keeper = new DocumentKeeper(b, copies)
    for (const said of [0, size - 1, size, 3, size + 1]) await keeper.keep({ cid, size: said, author })
    await until('it is kept', () => copies.kept.size === 1)
    keeper.stop()
  })

  it('leaves alone what is too large, or larger than its entry says', async () => {
    const [a, b] = [await newPeer(), await newPeer()]
    const large = await a.data.add(seededBytes(200_000, 2))
    let reads = 0
    const counting = Object.create(b, {
      data: { value: Object.create(b.data, { bytes: { value: counted } }) }
    }) as Peer
    async function counted(...args: Parameters<Peer['data']['bytes']>): Promise<Uint8Array> {
      reads++
      return await b.data.bytes(...args)
    }
    const copies = new TestCopies()
    const keeper = new DocumentKeeper(counting, copies, { maxBytes: 100_000 })
    await keeper.keep({ ...large, author })
    await keeper.keep({ cid: large.cid, size: 10, author })
    const honest = await a.data.add(seededBytes(5_000, 3))
    await keeper.keep({ ...honest, author })
    await until('the honest one is kept', () => copies.kept.size === 1)
    // Once for the document with the wrong size, which stays wrong, and once for the right one.
    keeper.retry()
    expect(reads).toBe(2)
    keeper.stop()
  })

  it('tries again what failed, and at once when told so', async () => {
    const b = await newPeer()
    const { cid, size } = await b.data.add(seededBytes(100, 4))
    let failures = 3
    const flaky = Object.create(b, {
      data: {
        value: Object.create(b.data, {
          bytes: {
            value: async (...args: Parameters<Peer['data']['bytes']>) => {
              if (failures-- > 0) throw new P2plError({ code: 'NOT_FOUND', message: 'not yet' })
              return await b.data.bytes(...args)
            }
          }
        })
      }
    }) as Peer
    const copies = new TestCopies()
    const keeper = new DocumentKeeper(flaky, copies)
    await keeper.keep({ cid, size, author })
    await until('it is kept', () => {
      keeper.retry()
      return copies.kept.size === 1
    })
    expect(failures).toBe(-1)
    keeper.stop()
  })

  it('looks for an honest document beside a thousand that nobody has', async () => {
    const [a, b] = [await newPeer(), await newPeer()]
    const looked: string[] = []
    const data = Object.create(b.data, {
      bytes: {
        value: async (cid: CID, options: { signal: AbortSignal }) => {
          looked.push(cid.toString())
          if (await a.data.has(cid)) return await b.data.bytes(cid, options)
          // No peer ever answers.
          return await new Promise((_, reject) => {
            options.signal.addEventListener('abort', () => reject(new Error('given up')))
          })
        }
      }
    }) as Peer['data']
    const peer = Object.create(b, { data: { value: data } }) as Peer
    for (const hasShare of [() => true, (one: string) => one === 'honest']) {
      const copies = new TestCopies()
      const keeper = new DocumentKeeper(peer, copies, { hasShare })
      for (let i = 0; i < 1_000; i++) {
        const cid = cidOf(`nobody has ${i}`, 0x55)
        await keeper.keep({ cid, size: 100, author: hasShare('x') ? 'liar' : `free ${i}` })
      }
      const before = looked.length
      const { cid, size } = await a.data.add(seededBytes(30_000, looked.length))
      // An author who lies about the document itself cannot change that either.
      await keeper.keep({ cid, size: 1, author: 'liar' })
      await keeper.keep({ cid, size, author: 'honest' })
      await until('it is kept', () => copies.kept.size === 1)
      expect(looked.slice(before)).toContain(cid.toString())
      expect(looked.length - before).toBeLessThan(10)
      keeper.stop()
    }
  })
})
