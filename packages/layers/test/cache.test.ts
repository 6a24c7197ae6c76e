import { createPeer } from '@p2pl/core'
import { aroundCalls, compose } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { cache } from '../src/index.ts'
import { block, cid, collect, fake } from './support.ts'

async function made(text: string | Uint8Array): Promise<{ cid: CID; bytes: Uint8Array }> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return { cid: CID.createV1(0x55, await sha256.digest(bytes)), bytes }
}

/** A backend with these blocks that counts how often it is asked. */
function stored(blocks: readonly { cid: CID; bytes: Uint8Array }[], maxBytes?: number) {
  const bytes = new Map(blocks.map((each) => [each.cid.toString(), each.bytes]))
  const asked: object[] = []
  const backend = cache({ maxBytes })(
    fake({
      blocks: {
        get: async (wanted, options = {}) => {
          asked.push(options)
          return bytes.get(CID.createV1(0x55, wanted.multihash).toString())!
        },
        delete: async () => undefined,
        gc: async function* () {
          yield cid
        }
      }
    })
  )
  return { asked, blocks: backend.blocks!, backend }
}

describe('cache', () => {
  it('asks for a block once, also under another CID of the same hash', async () => {
    const { asked, blocks } = stored([block])
    for (const wanted of [cid, cid, CID.createV1(0x71, cid.multihash)])
      expect(await blocks.get(wanted)).toEqual(block.bytes)
    expect(asked).toHaveLength(1)
  })

  it('stays within its bytes and forgets what was used longest ago', async () => {
    const many = await Promise.all([0, 1, 2, 3].map((fill) => made(new Uint8Array(10_000).fill(fill))))
    const { asked, blocks } = stored(many, 31_000)
    for (const { cid: wanted } of many.slice(0, 3)) await blocks.get(wanted)
    await blocks.get(many[0]!.cid)
    await blocks.get(many[3]!.cid)
    expect(asked).toHaveLength(4)
    await blocks.get(many[0]!.cid)
    expect(asked).toHaveLength(4)
    await blocks.get(many[1]!.cid)
    expect(asked).toHaveLength(5)
  })

  it('counts what an empty block costs', async () => {
    const empty = await made('')
    const { asked, blocks } = stored([empty], 100)
    for (let i = 0; i < 3; i++) await blocks.get(empty.cid)
    expect(asked).toHaveLength(3)
  })

  it('keeps no bytes that do not hash to their CID', async () => {
    const { asked, blocks } = stored([{ cid, bytes: Uint8Array.of(9) }])
    for (let i = 0; i < 2; i++) expect(await blocks.get(cid)).toEqual(Uint8Array.of(9))
    expect(asked).toHaveLength(2)
  })

  it('is neither the own store nor another peer', async () => {
    const { asked, blocks } = stored([block])
    await blocks.get(cid)
    await blocks.get(cid, { local: true })
    await blocks.get(cid, { remote: true })
    expect(asked).toEqual([{}, { local: true }, { remote: true }])
  })

  it.each(['delete', 'gc', 'stop'] as const)(
    'forgets with %s, and keeps nothing of a get that began before',
    async (end) => {
      const { asked, blocks, backend } = stored([block])
      const forget = async (): Promise<unknown> =>
        end === 'delete' ? await blocks.delete(cid) : end === 'gc' ? await collect(blocks.gc()) : await backend.stop()
      await blocks.get(cid)
      await forget()
      const get = blocks.get(cid)
      await forget()
      await get
      await blocks.get(cid)
      expect(asked).toHaveLength(3)
    }
  )

  it('gives nothing to a caller that has given up', async () => {
    const { blocks } = stored([block])
    await blocks.get(cid)
    await expect(blocks.get(cid, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('keeps its own copy: a reader that changes what it got harms nobody', async () => {
    const network = new MemoryNetwork()
    // Blocks of the memory network are shared; those of a real one are copies.
    const copying = aroundCalls({
      call: async ({ operation }, run) => {
        const result = await run()
        return operation === 'blocks.get' ? ((result as Uint8Array).slice() as typeof result) : result
      }
    })
    await using peer = await createPeer({ backend: compose(memory({ network }), copying, cache()) })
    const put = await peer.blocks.put(new TextEncoder().encode('as it was'))
    const read = async (): Promise<Uint8Array> => await peer.blocks.get(put, { timeout: 5_000 })
    for (let i = 0; i < 2; i++) (await read()).fill(0)
    expect(new TextDecoder().decode(await read())).toBe('as it was')
  })
})
