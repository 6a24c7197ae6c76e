import { equalBytes } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { sha256, sha512 } from 'multiformats/hashes/sha2'

/** Whether the bytes match the CID. */
export async function matches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  const hasher = [sha256, sha512].find(({ code }) => code === cid.multihash.code)
  return hasher !== undefined && equalBytes((await hasher.digest(bytes)).bytes, cid.multihash.bytes)
}
