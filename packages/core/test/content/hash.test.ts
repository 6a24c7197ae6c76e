import { isP2plError } from '@p2pl/core/backend'
import { seededBytes } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, test } from 'vitest'
import { verifyBlock, verifyDelivered } from '../../src/content/hash.ts'

const damaged = (error: unknown): boolean => isP2plError(error, 'INVALID_CONTENT')

async function cidOf(bytes: Uint8Array): Promise<CID> {
  return CID.createV1(raw.code, await sha256.digest(bytes))
}

test('bytes that an adapter has verified are taken at its word once, for this CID and this array', async () => {
  const bytes = seededBytes(100, 1)
  const cid = await cidOf(bytes)
  await verifyBlock(cid, bytes, 'get', 'test')
  bytes[0] = (bytes[0] as number) ^ 1
  // Not hashed again on its way to the reader …
  await verifyDelivered(cid, bytes, 'get', 'test')
  // … and hashed whenever it comes again, …
  await expect(verifyDelivered(cid, bytes, 'get', 'test')).rejects.toSatisfy(damaged)
  // … as are a copy, and the same bytes for another CID.
  const others = seededBytes(100, 2)
  await verifyBlock(await cidOf(others), others, 'get', 'test')
  await expect(verifyDelivered(cid, others, 'get', 'test')).rejects.toSatisfy(damaged)
  await verifyBlock(await cidOf(others), others, 'get', 'test')
  await expect(verifyDelivered(cid, others.slice(), 'get', 'test')).rejects.toSatisfy(damaged)
})

test('bytes that do not hash to the CID are refused whoever asks, and are not remembered', async () => {
  const bytes = seededBytes(100, 3)
  const cid = await cidOf(seededBytes(100, 4))
  await expect(verifyBlock(cid, bytes, 'get', 'test')).rejects.toSatisfy(damaged)
  await expect(verifyDelivered(cid, bytes, 'get', 'test')).rejects.toSatisfy(damaged)
})
