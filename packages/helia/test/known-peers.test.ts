import { peerIdFromMultihash } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import * as Digest from 'multiformats/hashes/digest'
import { expect, test } from 'vitest'
import { KnownPeers } from '../src/engine/known-peers.ts'
import { engineOf, selfOf, started } from './helper.ts'

test('peers of which nothing was heard for longest are forgotten first, connected ones are kept', async () => {
  const inner = new MemoryDatastore()
  const put = async (store: KnownPeers, ...names: string[]): Promise<void> => {
    for (const name of names) await store.put(new Key(`/peers/${name}`), Uint8Array.of(1))
  }
  const known = async (name: string): Promise<boolean> => await inner.has(new Key(`/peers/${name}`))
  const count = async (): Promise<number> => {
    let keys = 0
    for await (const _ of inner.queryKeys({ prefix: '/peers' })) keys++
    return keys
  }
  const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `peer${from + i}`)
  await put(new KnownPeers(inner, 200, () => new Set()), ...names(0, 150))
  const store = new KnownPeers(inner, 200, () => new Set(['peer0']))
  await put(store, ...names(150, 200), 'peer1')
  await store.put(new Key('/other/peer'), Uint8Array.of(1))
  expect(await count()).toBe(200)
  await put(store, 'newcomer')
  expect(await count()).toBe(137)
  for (const [name, expected] of [
    ['peer0', true],
    ['peer1', true],
    ['peer2', false],
    ['peer65', false],
    ['peer66', true],
    ['newcomer', true]
  ] as const)
    expect(await known(name), name).toBe(expected)
  await put(store, ...names(1_000, 2_000))
  expect(await count()).toBeLessThanOrEqual(200)
  expect(await known('peer0')).toBe(true)
  expect(await inner.has(new Key('/other/peer'))).toBe(true)
})

test('a node that hears of 10,000 peers remembers 8,192 at most, and its connected one', async () => {
  const node = await started()
  const other = await started()
  await node.routing.connect(selfOf(other))
  const { peerStore } = engineOf(node).libp2p
  for (let i = 0; i < 10_000; i++) {
    const key = new Uint8Array(36)
    key.set([8, 1, 18, 32])
    new DataView(key.buffer).setUint32(4, i)
    const id = peerIdFromMultihash(Digest.create(0, key))
    await peerStore.merge(id, { multiaddrs: [multiaddr('/ip4/10.0.0.1/tcp/4001')] })
  }
  const all = await peerStore.all()
  expect(all.length).toBeLessThanOrEqual(8_192)
  expect(all.length).toBeGreaterThan(8_000)
  expect(all.map(({ id }) => id.toString())).toContain(selfOf(other).id)
})
