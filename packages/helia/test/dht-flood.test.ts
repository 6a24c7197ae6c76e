import type { PeerInfo } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { blockOf, collect, selfOf, started } from './helper.ts'
import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { BoundedRecords } from '../src/engine/dht/records.ts'
import { spawnScript } from './process.ts'

interface Stored {
  readonly records: number
  readonly bytes: number
  /** Nothing, while the victim does not know the attacker. */
  readonly addresses: number | undefined
}

test.each<[string, number, number, number]>([
  ['records', 4_000, 4_001, 4_001],
  // The stream of a peer that sends faster than it is served is ended.
  ['more records', 80_000, 1, 65_537],
  ['addresses', 500, 501, 501],
  ['more addresses', 4, 1, 1],
  ['values', 20, 1, 1]
])('a flood of DHT messages with %s stops nobody, and little of it is stored', async (kind, count, least, most) => {
  const victim = spawnScript('victim.process.ts', '{}')
  const self = await victim.ask<PeerInfo>('start')
  const flooder = spawnScript('flooder.process.ts')
  const of = await flooder.ask<PeerInfo>('start')
  const honest = await started()
  await honest.routing.connect(self)
  await victim.ask('watch')
  const attacking = flooder.ask('dht', self.addresses[0], kind, count)
  const { cid } = await blockOf(new TextEncoder().encode('honest'))
  await until('the honest record', () =>
    honest.routing.provide(cid, { signal: AbortSignal.timeout(100_000) }).then(
      () => true,
      () => false
    )
  )
  await attacking
  let stored: Stored = { records: -1, bytes: 0, addresses: undefined }
  let worst = 0
  await until('the flood is over', async () => {
    worst = Math.max(worst, (await victim.ask<{ worst: number }>('seen')).worst)
    const before = stored.records
    stored = await victim.ask<Stored>('stored', of.id)
    // A look at all that is stored is a standstill of its own.
    await victim.ask('watch')
    return stored.addresses !== undefined && stored.records === before
  })
  expect(stored.records).toBeGreaterThanOrEqual(least)
  expect(stored.records).toBeLessThanOrEqual(most)
  expect(stored.bytes).toBe(0)
  expect(stored.addresses).toBeLessThanOrEqual(32)
  expect(worst).toBeLessThan(100)
  const other = await started()
  await other.routing.connect(self)
  const found = await collect(other.routing.findProviders(cid, { signal: AbortSignal.timeout(100_000) }))
  expect(found.map(({ id }) => id)).toContain(selfOf(honest).id)
})

test('a full store of records gives each peer a share, keeps those of the node itself, and knows what earlier runs have left', async () => {
  const inner = new MemoryDatastore()
  const put = (store: BoundedRecords, owner: string, from: number, count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        store.put(new Key(`/dht/provider/${owner}${from + i}/${owner}`), Uint8Array.of(1))
      )
    )
  const counts = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {}
    for await (const key of inner.queryKeys({ prefix: '/dht/provider' })) {
      const owner = key.name()
      found[owner] = (found[owner] ?? 0) + 1
    }
    return found
  }
  await put(new BoundedRecords(inner, 'self', 1_000), 'flooder', 0, 900)
  const store = new BoundedRecords(inner, 'self', 1_000)
  await put(store, 'flooder', 900, 900)
  expect(await counts()).toEqual({ flooder: 1_000 })
  await put(store, 'self', 0, 50)
  await put(store, 'honest', 0, 100)
  const full = await counts()
  expect(full).toMatchObject({ self: 50, honest: 100 })
  expect(full['flooder']).toBeLessThanOrEqual(900)
  expect(full['flooder']).toBeGreaterThan(800)
  await put(store, 'honest', 100, 900)
  // Records make room for others some at a time.
  const shared = await counts()
  expect(shared['honest']).toBeGreaterThanOrEqual(500)
  expect(shared['honest']).toBeLessThanOrEqual(564)
  // What expires makes room.
  await store.delete(new Key('/dht/provider/honest0/honest'))
  await put(store, 'other', 0, 1)
  expect((await counts())['other']).toBe(1)
})
