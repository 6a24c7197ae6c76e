import type { Block } from '@p2pl/core/backend'
import { seededBytes } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

export async function rawBlock(bytes: Uint8Array): Promise<Block> {
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export async function seededBlock(length: number, seed: number): Promise<Block> {
  return await rawBlock(seededBytes(length, seed))
}
