import { createPeer, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory, type MemoryNetwork } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { openReplication, type ReplicationEvent } from '../src/index.ts'

const mebibyte = 1024 * 1024

async function keepers(network: MemoryNetwork, count: number, asker: string): Promise<Peer[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const receipts = { keep: { peers: [asker], maxBytes: mebibyte } }
      return await createPeer({ backend: memory({ network }), receipts })
    })
  )
}

describe('replication', () => {
  it('keeps copies within the range, tells their status, and ends them', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    const others = await keepers(network, 5, ann.id)
    await using replication = openReplication({ peer: ann })
    const events: ReplicationEvent[] = []
    replication.onEvent((event) => events.push(event))
    const { cid } = await ann.data.add('worth keeping')
    replication.keep(cid, { min: 2, max: 4 })
    expect(replication.status(cid)).toMatchObject({ missing: 2, why: 'new', copies: [] })
    await until('three have it', () => replication.status(cid)?.copies.length === 3)
    expect(replication.status(cid)).toMatchObject({ missing: 0, why: undefined, bytes: 13, min: 2, max: 4 })
    const { copies } = replication.status(cid)!
    for (const { by, kind, answers } of copies) {
      expect([kind, answers]).toEqual(['peer', true])
      expect(await others.find(({ id }) => id === by)?.data.has(cid)).toBe(true)
    }
    expect(events.at(-1)).toMatchObject({ type: 'change', status: { missing: 0 } })
    await replication.release(cid)
    expect(replication.status(cid)).toBeUndefined()
    await until(
      'nobody has it',
      async () => !(await Promise.all(others.map((peer) => peer.data.has(cid)))).includes(true)
    )
    await Promise.all(others.map((peer) => peer.stop()))
  })
})
