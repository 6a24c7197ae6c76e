import { sha256, sha512 } from 'multiformats/hashes/sha2'
import type { MultihashHasher } from 'multiformats/hashes/interface'

/** What blocks may be addressed by. */
export const hashers: readonly MultihashHasher[] = [sha256, sha512]
