import type { CID } from 'multiformats/cid'
import { P2plError } from '../errors.ts'
import { linksOf } from '../toolbox/links.ts'
import { invalidContent } from './node.ts'

/**
 * The links of a block. Throws `INVALID_CONTENT` if the bytes are not of their codec, and `UNSUPPORTED` if the codec is
 * unknown here. `advice` ends that last message.
 */
export function strictLinks(cid: CID, block: Uint8Array, operation: string, advice = ''): readonly CID[] {
  let found: CID[] | undefined
  try {
    found = linksOf(cid, block)
  } catch (cause) {
    throw invalidContent(operation, cid, 'cannot be decoded as its codec says', cause)
  }
  if (found !== undefined) return found
  const codec = `0x${cid.code.toString(16)}`
  const known = 'raw, dag-pb and dag-cbor are known'
  throw new P2plError({
    code: 'UNSUPPORTED',
    operation,
    message: `the links of codec ${codec} are unknown here (${cid.toString()}); ${known}${advice}`
  })
}
