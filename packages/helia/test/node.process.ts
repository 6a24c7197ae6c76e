// A backend of this package in a process of its own.
import type { PeerInfo } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { helia, type HeliaOptions } from '../src/index.ts'
import { answer } from '@p2pl/tooling-vitest/answer'
import { selfOf } from './self.ts'

const backend = helia(JSON.parse(process.argv[2] ?? '{}') as HeliaOptions)
const { blocks, routing } = backend

answer({
  start: async () => {
    await backend.start()
    return selfOf(backend)
  },
  stop: () => backend.stop(),
  put: async (bytes: Uint8Array) => {
    const cid = CID.createV1(raw.code, await sha256.digest(bytes))
    await blocks.putMany([{ cid, bytes }])
    return cid.toString()
  },
  putMany: async (count: number, size: number) => {
    const cids: string[] = []
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(size)
      new DataView(bytes.buffer).setUint32(0, i)
      const cid = CID.createV1(raw.code, await sha256.digest(bytes))
      await blocks.putMany([{ cid, bytes }])
      cids.push(cid.toString())
    }
    return cids
  },
  pin: (cid: string) => blocks.pin(CID.parse(cid)),
  get: async (cid: string) => await blocks.get(CID.parse(cid), { signal: AbortSignal.timeout(100_000) }),
  connect: (peer: PeerInfo) => routing.connect(peer)
})
