import { join } from 'node:path'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { identify } from '@libp2p/identify'
import { multiaddr } from '@multiformats/multiaddr'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import type { Block } from '@p2pl/core/backend'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { bulkProtocol } from '../src/engine/bulk/frames.ts'
import { blockOf, engineOf, put, same, selfOf, started } from './helper.ts'
import { field, framed } from './wire.ts'

const folder = temporaryFolder('p2pl-bitswap-')
const protocol = '/ipfs/bitswap/1.2.0'

/** A message with one block, as the specification of Bitswap 1.2.0 has it: an empty want list (1), and blocks (3) of prefix (1) and data (2). */
function messageOf(prefix: Uint8Array, data: Uint8Array): Uint8Array {
  const block = Buffer.concat([field(1, prefix), field(2, data)])
  return framed(Buffer.concat([field(1, new Uint8Array()), field(3, block)]))
}

test('an answer is read whole though the remote closes its stream with the last byte, as Go nodes do', async () => {
  const node = await started()
  const blocks = await Promise.all(Array.from({ length: 20 }, (_, i) => blockOf(new Uint8Array(1_000 + i).fill(i))))
  const { library } = engineOf(node).exchange.bitswap
  const remote = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() }
  })
  try {
    const connection = await remote.dial(multiaddr(selfOf(node).addresses[0]))
    for (const { cid, bytes } of blocks) {
      const wanted = node.blocks.get(cid, { signal: AbortSignal.timeout(100_000) })
      // What nobody wants yet is not taken.
      await until('it is wanted', () => (library?.internals.wantList.wants.size ?? 0) > 0)
      const stream = await connection.newStream(protocol)
      const prefix = cid.bytes.subarray(0, cid.byteLength - cid.multihash.digest.length)
      stream.send(messageOf(prefix, bytes))
      await stream.close()
      expect(same(await wanted, bytes)).toBe(true)
    }
  } finally {
    await remote.stop()
  }
})

test('a neighbour that the folder remembers is asked after a restart', async () => {
  const dir = join(folder, 'remembers')
  const other = await started()
  const block = await blockOf(new Uint8Array([1, 2, 3]))
  await put(other, block)
  const node = await started({ dir })
  await node.routing.connect(selfOf(other))
  await node.stop()
  await node.start()
  await node.routing.connect(selfOf(other))
  await until('connected', async () => (await node.routing.connections()).length > 0)
  expect(same(await node.blocks.get(block.cid, { signal: AbortSignal.timeout(100_000) }), block.bytes)).toBe(true)
})

test('who wants very much at once is answered in portions, and gets all of it', async () => {
  const [node, other] = await Promise.all([started(), started()])
  // As a stranger that speaks Bitswap alone.
  await engineOf(node).libp2p.unhandle(bulkProtocol)
  const blocks = await Promise.all(Array.from({ length: 200 }, (_, i) => blockOf(seededBytes(100_000, i))))
  await node.blocks.putMany(blocks)
  // The engine reads all wants that it knows of before it sends the first block.
  const { stores } = engineOf(node)
  const read = stores.blocks.get.bind(stores.blocks)
  let reading = 0
  let most = 0
  const network = engineOf(node).exchange.bitswap.library?.internals.network
  if (network === undefined) throw new Error('it has started')
  const send = network.sendMessage.bind(network)
  network.sendMessage = async (peer, message) => {
    reading = 0
    await send(peer, message)
  }
  stores.blocks.get = async (key) => {
    most = Math.max(most, ++reading)
    return await read(key)
  }
  await other.routing.connect(selfOf(node))
  const signal = AbortSignal.timeout(100_000)
  const got = await Promise.all(blocks.map(({ cid }) => other.blocks.get(cid, { signal })))
  expect(got.every((bytes, i) => same(bytes, (blocks[i] as Block).bytes))).toBe(true)
  expect(most).toBeLessThanOrEqual(64)
})
