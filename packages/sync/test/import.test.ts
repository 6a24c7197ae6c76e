import { createIdentity, createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { expect, test } from 'vitest'
import { digestOf } from '../src/cid.ts'
import type { Entry } from '../src/index.ts'
import type { Replica } from '../src/replica/replica.ts'
import { openReplica } from '../src/view.ts'
import { bytesOf, member, memoryDatabase } from './support/peers.ts'

async function* blocksOf(
  { store }: Replica,
  entries: readonly Entry[]
): AsyncGenerator<{ cid: Entry['cid']; bytes: Uint8Array }> {
  for (const { cid } of entries) yield { cid, bytes: (await store.entry(digestOf(cid)!))! }
}

test('imported entries that wait for parents are bounded for each author, and another import takes them', async () => {
  await using peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  const { view, replica } = await openReplica({ peer, topic: 'test', store: memoryDatabase() })
  const flooder = await createIdentity()
  const parent = await view.append(bytesOf('parent'), { parents: [] })
  const children: Entry[] = []
  for (let i = 0; i < 300; i++) {
    const payload = new Uint8Array(64 * 1024).fill(i)
    payload[0] = i >> 8
    children.push(await view.append(payload, { parents: [parent.cid], identity: flooder }))
  }
  const child = await view.append(bytesOf('child'), { parents: [parent.cid] })

  await using target = await member(createMemoryNetwork())
  const first = await target.view.import(blocksOf(replica, [...children, child, parent]))
  // Of the 256 that come before the parent, 8 MiB of the flooder's; and all that comes together with the parent.
  expect(first).toEqual({ added: 125 + 46, known: 0, refused: 256 - 125 })
  expect(await target.view.has(child.cid)).toBe(true)
  expect(await target.view.import(blocksOf(replica, children))).toEqual({ added: 131, known: 169, refused: 0 })
  await view.stop()
})
