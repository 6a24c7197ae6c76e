import type { PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Fetcher, type FetchNetwork } from '../src/index.ts'
import { rawBlock } from '@p2pl/tooling-vitest/blocks'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function network(search?: FetchNetwork['search']) {
  const wants: {
    cid: CID
    signal: AbortSignal
    resolve: (bytes: Uint8Array) => void
    reject: (error: Error) => void
  }[] = []
  const dialled: string[] = []
  const net: FetchNetwork = {
    want: (cid, signal) => new Promise((resolve, reject) => wants.push({ cid, signal, resolve, reject })),
    dial: async ({ id }) => {
      dialled.push(id)
      throw new Error('nobody answers')
    },
    ...(search && { search })
  }
  return { fetcher: new Fetcher(net), wants, dialled }
}

const hint = (id: string): PeerInfo => ({ network: 'test', id, addresses: [] })

describe('a fetcher', () => {
  it('asks once for a block that many want, and stops when the last one gives up', async () => {
    const { fetcher, wants, dialled } = network()
    const { cid } = await rawBlock('wanted')
    const [first, second] = [new AbortController(), new AbortController()]
    const asked = [first, second].map((abort, i) =>
      fetcher.fetch(cid, { signal: abort.signal, providers: [hint(`p${i}`)] })
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(wants).toHaveLength(1)
    expect(dialled).toEqual(['p0', 'p1'])
    first.abort(new Error('first'))
    await expect(asked[0]).rejects.toThrow('first')
    expect(wants[0]?.signal.aborted).toBe(false)
    second.abort(new Error('second'))
    await expect(asked[1]).rejects.toThrow('second')
    expect(wants[0]?.signal.aborted).toBe(true)
    const again = fetcher.fetch(cid, { signal: new AbortController().signal })
    await vi.advanceTimersByTimeAsync(0)
    wants[1]?.resolve(Uint8Array.of(1))
    expect(await again).toEqual(Uint8Array.of(1))
  })

  it('hands a failure to all, and asks anew afterwards', async () => {
    const { fetcher, wants } = network()
    const { cid } = await rawBlock('fails')
    const both = [1, 2].map(() => fetcher.fetch(cid, { signal: new AbortController().signal }))
    await vi.advanceTimersByTimeAsync(0)
    wants[0]?.reject(new Error('broken'))
    for (const one of both) await expect(one).rejects.toThrow('broken')
    void fetcher.fetch(cid, { signal: new AbortController().signal })
    await vi.advanceTimersByTimeAsync(0)
    expect(wants).toHaveLength(2)
  })

  it('searches when nobody has answered, again after growing pauses, and dials few of those found', async () => {
    let searches = 0
    let dials = 0
    const { fetcher, wants } = network(async (_wanted, found) => {
      searches++
      for (let i = 0; i < 100; i++)
        found(async () => {
          dials++
        })
      throw new Error('the search failed')
    })
    const { cid } = await rawBlock('lost')
    const got = fetcher.fetch(cid, { signal: new AbortController().signal })
    await vi.advanceTimersByTimeAsync(299)
    expect(searches).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect([searches, dials]).toEqual([1, 8])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(searches).toBe(2)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(searches).toBe(3)
    wants[0]?.resolve(new Uint8Array())
    await got
    await vi.advanceTimersByTimeAsync(600_000)
    expect(searches).toBe(3)
  })

  it('lets a DAG with many blocks delay another one by one block', async () => {
    const { fetcher, wants } = network()
    const [large, small] = [(await rawBlock('large')).cid, (await rawBlock('small')).cid]
    const { signal } = new AbortController()
    const blocks = await Promise.all(Array.from({ length: 1_000 }, (_, i) => rawBlock(`of the large one ${i}`)))
    for (const { cid } of blocks) void fetcher.fetch(cid, { root: large, signal })
    void fetcher.fetch(small, { root: small, signal })
    await vi.advanceTimersByTimeAsync(0)
    expect(wants).toHaveLength(512)
    for (const { resolve } of wants.slice(0, 2)) resolve(Uint8Array.of(1))
    await vi.advanceTimersByTimeAsync(0)
    expect(wants.slice(512).some(({ cid }) => cid.equals(small))).toBe(true)
  })

  it('has 512 blocks under way at most', async () => {
    const { fetcher, wants } = network()
    const blocks = await Promise.all(Array.from({ length: 600 }, (_, i) => rawBlock(`${i}`)))
    const got = blocks.map(({ cid }) => fetcher.fetch(cid, { signal: new AbortController().signal }))
    await vi.advanceTimersByTimeAsync(0)
    expect(wants).toHaveLength(512)
    for (const want of Array.from(wants)) want.resolve(new Uint8Array())
    await vi.advanceTimersByTimeAsync(0)
    expect(wants).toHaveLength(600)
    for (const want of wants) want.resolve(new Uint8Array())
    await Promise.all(got)
  })
})
