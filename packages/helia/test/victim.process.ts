// A backend of this package that watches its own event loop.
import { createHash, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import type { Engine } from '../src/engine/engine.ts'
import { helia, type HeliaOptions } from '../src/index.ts'
import { answer } from '@p2pl/tooling-vitest/answer'
import { selfOf } from './self.ts'

const backend = helia(JSON.parse(process.argv[2] ?? '{}') as HeliaOptions)
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const texts: string[] = []
const events: unknown[] = []
let gaps = 0
let worst = 0
let last = process.threadCpuUsage()

/** Milliseconds of processor time between two looks: time in which others have the processor is not counted. */
setInterval(() => {
  const now = process.threadCpuUsage()
  worst = Math.max(worst, (now.user + now.system - last.user - last.system) / 1_000)
  last = now
}, 5)

/** Bytes that are in use, whatever the allocator keeps back of what it was given. */
function used(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

answer({
  start: async () => {
    await backend.start({ onEvent: (event) => void events.push(event) })
    return selfOf(backend)
  },
  listen: async (topic: string) => {
    await backend.messages.subscribe(topic, {
      message: ({ payload }) => {
        const text = new TextDecoder().decode(payload)
        if (text.startsWith('bad')) return 'reject'
        texts.push(text)
        return 'accept'
      },
      gap: () => void gaps++
    })
  },
  /** Stores as many random blocks of that size. */
  put: async (count: number, size: number) => {
    const blocks = Array.from({ length: count }, () => {
      const bytes = new Uint8Array(randomBytes(size))
      return { cid: CID.createV1(0x55, Digest.create(0x12, createHash('sha256').update(bytes).digest())), bytes }
    })
    await backend.blocks.putMany(blocks)
    return blocks.map(({ cid }) => cid.bytes)
  },
  watch: () => {
    const before = used()
    worst = 0
    last = process.threadCpuUsage()
    return before
  },
  /** The longest standstill since `watch` (ms of processor time), and the memory in use now. */
  seen: () => ({ worst, used: used(), texts: texts.length, gaps, events }),
  heard: () => texts,
  /** What it has stored of its DHT and of this peer: records, bytes of values, addresses of the peer once it is known. */
  stored: async (id: string) => {
    const { libp2p, stores } = backend.engine as Engine
    let records = 0
    let bytes = 0
    for await (const { key, value } of stores.data.query({ prefix: '/dht' })) {
      if (key.toString().startsWith('/dht/provider')) records++
      else bytes += value.byteLength
    }
    const peer = peerIdFromString(id)
    const known = await libp2p.peerStore.has(peer)
    return { records, bytes, addresses: known ? (await libp2p.peerStore.get(peer)).addresses.length : undefined }
  },
  connections: async () => (await backend.routing.connections()).map(({ id }) => id)
})
