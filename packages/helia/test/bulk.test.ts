import type { PeerInfo } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { settled } from '@p2pl/tooling-vitest/blocks'
import { CID } from 'multiformats/cid'
import { expect, test, vi } from 'vitest'
import { bulkProtocol } from '../src/engine/bulk/frames.ts'
import {
  blockOf,
  disconnectQuietly,
  engineOf,
  getAll,
  introduced,
  manyBlocks,
  type Node,
  pair,
  reconnect,
  selfOf,
  started,
  textBlock
} from './helper.ts'
import { spawnScript } from './process.ts'

/** Counts the messages of Bitswap. */
function watchBitswap(node: Node): { sent: number } {
  const network = engineOf(node).exchange.bitswap.library?.internals.network
  if (network === undefined) throw new Error('it has started')
  const send = network.sendMessage.bind(network)
  const count = { sent: 0 }
  network.sendMessage = async (peer, message) => {
    count.sent++
    await send(peer, message)
  }
  return count
}

/** Resolves when a peer has told the node what it speaks, and its protocols know. */
async function identifiedBy(node: Node): Promise<void> {
  await new Promise<void>((resolve) =>
    engineOf(node).libp2p.addEventListener('peer:identify', () => resolve(), { once: true })
  )
  await settled()
}

test.each([
  ['an open network', {}],
  ['a private network', { psk: new Uint8Array(32).fill(7) }]
])('peers of %s that speak it need no Bitswap', async (_, options) => {
  const [a, b] = await pair(options)
  await introduced(b, a)
  const counts = [watchBitswap(a), watchBitswap(b)]
  const blocks = [...(await manyBlocks(500, 600)), ...(await manyBlocks(20, 1_000_000, 1_000))]
  await a.blocks.putMany(blocks)
  await getAll(b, blocks)
  expect(counts.map(({ sent }) => sent)).toEqual([0, 0])
})

test('what is told late of a lost connection does not end the exchange with a peer that is back', async () => {
  const [a, b] = await pair({ dht: false })
  await introduced(b, a)
  const tell = await disconnectQuietly(b, a)
  const identified = identifiedBy(b)
  await reconnect(b, selfOf(a))
  await identified
  await tell()
  const count = watchBitswap(b)
  const blocks = await manyBlocks(10, 1_000)
  await a.blocks.putMany(blocks)
  await getAll(b, blocks)
  expect(count.sent).toBe(0)
})

test('a channel that fails to open when its connection is long gone does not end the exchange with a peer that is back', async () => {
  const [a, b] = await pair({ dht: false })
  await introduced(b, a)
  const [connection] = engineOf(b).libp2p.getConnections()
  if (connection === undefined) throw new Error('a connection')
  const failed = Promise.withResolvers<never>()
  const open = vi.spyOn(connection, 'newStream').mockReturnValue(failed.promise)
  const controller = new AbortController()
  const [blocks, { cid }] = [await manyBlocks(10, 1_000), await textBlock('of no more use')]
  const given = b.blocks.get(cid, { signal: controller.signal }).catch(() => undefined)
  await until('a channel is being opened', () => open.mock.calls.some(([protocol]) => protocol === bulkProtocol))
  controller.abort()
  await given
  await b.routing.disconnect(selfOf(a).id)
  const identified = identifiedBy(b)
  await reconnect(b, selfOf(a))
  await identified
  failed.reject(new Error('the connection is gone'))
  await settled()
  const count = watchBitswap(b)
  await a.blocks.putMany(blocks)
  await getAll(b, blocks)
  expect(count.sent).toBe(0)
})

test('a fetch that is cut off leaves nothing under way', async () => {
  const [a, b] = await pair()
  await introduced(b, a)
  const blocks = await manyBlocks(60, 1_000_000)
  await a.blocks.putMany(blocks)
  const { stores } = engineOf(a)
  const read = vi.spyOn(stores.blocks, 'get')
  const controller = new AbortController()
  const [first, ...others] = blocks.map(({ cid }) => b.blocks.get(cid, { signal: controller.signal }))
  await first
  controller.abort()
  const ends = await Promise.allSettled(others)
  expect(ends.some(({ status }) => status === 'rejected')).toBe(true)
  // The next fetch does not wait for what the first one no longer wants.
  const reads = read.mock.calls.length
  const small = await textBlock('afterwards')
  await a.blocks.putMany([small])
  await getAll(b, [small])
  expect(reads).toBeLessThan(blocks.length)
  expect(read.mock.calls.length).toBeLessThan(blocks.length)
})

test('a provider that dies in the middle is replaced by another one', async () => {
  const [node, other] = await Promise.all([started(), started()])
  const remote = spawnScript('node.process.ts', '{}')
  const dying = await remote.ask<PeerInfo>('start')
  await node.routing.connect(dying)
  await node.routing.connect(selfOf(other))
  const cids = (await remote.ask<string[]>('putMany', 200, 50_000)).map((cid) => CID.parse(cid))
  await other.blocks.putMany(
    await Promise.all(
      cids.map(async (_, i) => {
        const bytes = new Uint8Array(50_000)
        new DataView(bytes.buffer).setUint32(0, i)
        return await blockOf(bytes)
      })
    )
  )
  const signal = AbortSignal.timeout(100_000)
  const getting = cids.map(async (cid) => await node.blocks.get(cid, { signal }))
  await Promise.any(getting)
  process.kill(remote.child.pid ?? 0, 'SIGKILL')
  expect((await Promise.all(getting)).every(({ byteLength }) => byteLength === 50_000)).toBe(true)
})

test('a peer that sends wrong bytes is asked for nothing more, and another one is', async () => {
  const [liar, honest, node] = await Promise.all([started(), started(), started()])
  const blocks = await manyBlocks(50, 10_000)
  await honest.blocks.putMany(blocks)
  const { stores } = engineOf(liar)
  stores.blocks.get = async () => seededBytes(10_000, 999)
  stores.blocks.has = async () => true
  await node.routing.connect(selfOf(liar))
  const getting = getAll(node, blocks)
  await node.routing.connect(selfOf(honest))
  await getting
})

test('a stream that is idle is closed, and opened again by the next want', async () => {
  const [a, b] = await pair()
  await introduced(b, a)
  const [first, second] = await manyBlocks(2, 1_000)
  if (first === undefined || second === undefined) throw new Error('two blocks')
  await a.blocks.putMany([first, second])
  await getAll(b, [first])
  const streams = () =>
    engineOf(b)
      .libp2p.getConnections()
      .flatMap((connection) => connection.streams)
      .filter(({ protocol }) => protocol === bulkProtocol)
  expect(streams()).toHaveLength(1)
  engineOf(b).exchange.bulk.closeIdle(0)
  await until('it is closed', () => streams().length === 0)
  await getAll(b, [second])
})
