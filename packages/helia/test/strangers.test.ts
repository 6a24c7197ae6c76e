import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { blockOf, collect, listen, put, ready, same, say, selfOf, started } from './helper.ts'
import { spawnScript, type Remote } from './process.ts'

interface Self {
  id: string
  addresses: string[]
}

async function stranger(): Promise<Remote & { self: Self }> {
  const remote = spawnScript('stranger.process.ts')
  return { ...remote, self: await remote.ask<Self>('start') }
}

describe('strangers to this project', () => {
  test('read a topic and fetch what was put here, and the other way round', async () => {
    const node = await started()
    const [first, second] = await Promise.all([stranger(), stranger()])
    // A line: what the second hears has been passed on by the first.
    await first.ask('dial', selfOf(node).addresses[0])
    await second.ask('dial', first.self.addresses[0])
    const inbox = await listen(node, 'open')
    await first.ask('subscribe', 'open')
    await second.ask('subscribe', 'open')
    await ready(node, 'open')
    await until('the strangers know each other', async () => (await first.ask<number>('subscribers', 'open')) === 2)
    // The engine's mesh between the two takes a heartbeat; ours is told by its recipients.
    await until('a message from here', async () => {
      await say(node, 'open', 'from here')
      return (await second.ask<string[]>('received')).includes('from here')
    })
    expect(await first.ask('received')).toContain('from here')
    await until('a message from there', async () => {
      await second.ask('publish', 'open', 'from there')
      return inbox.texts.includes('from there')
    })
    expect(inbox.messages.find(({ payload }) => new TextDecoder().decode(payload) === 'from there')?.from).toBe(
      second.self.id
    )

    for (const size of [0, 300, 1_000_000, 2 * 1024 * 1024]) {
      const block = await blockOf(seededBytes(size, size + 1))
      await put(node, block)
      expect(same(await first.ask<Uint8Array>('get', block.cid.toString()), block.bytes)).toBe(true)
      const theirs = CID.parse(await first.ask<string>('add', seededBytes(size + 5, size + 2)))
      const bytes = await node.blocks.get(theirs, { signal: AbortSignal.timeout(100_000) })
      expect(bytes.byteLength).toBeGreaterThan(0)
      await node.blocks.delete(theirs)
      expect(same(await node.blocks.get(theirs, { signal: AbortSignal.timeout(100_000) }), bytes)).toBe(true)
    }
  })

  test('share provider records, and fetch from a node that they were not connected to', async () => {
    const [node, hub] = await Promise.all([started(), started()])
    const remote = await stranger()
    await node.routing.connect(selfOf(hub))
    await remote.ask('dial', selfOf(hub).addresses[0])
    const block = await blockOf(seededBytes(5_000, 3))
    await put(node, block)
    await node.routing.provide(block.cid, { signal: AbortSignal.timeout(100_000) })
    expect(await remote.ask<string[]>('providers', block.cid.toString())).toHaveLength(1)
    expect(new Uint8Array(await remote.ask<Uint8Array>('get', block.cid.toString()))).toEqual(block.bytes)
    const theirs = await remote.ask<string>('add', seededBytes(700, 4))
    await remote.ask('provide', theirs)
    const found = await collect(node.routing.findProviders(CID.parse(theirs), { signal: AbortSignal.timeout(100_000) }))
    expect(found.map(({ id }) => id)).toContain(remote.self.id)
  })
})
