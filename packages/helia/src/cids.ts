import { CID } from 'multiformats/cid'
import { failure } from './errors.ts'
import { hashers } from './hashes.ts'

/** The CID as one of the multiformats here, whatever version made it. */
export function checkCid(operation: string, cid: CID): CID {
  const own = CID.asCID(cid)
  if (own === null)
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: `not a CID: ${String(cid).slice(0, 80)}` })
  return own
}

/** The same for blocks, which are kept by multihash. */
export function checkBlockCid(operation: string, cid: CID): CID {
  const own = checkCid(operation, cid)
  if (!hashers.some(({ code }) => code === own.multihash.code))
    throw failure({
      code: 'UNSUPPORTED',
      operation,
      message: `blocks are addressed by ${hashers.map(({ name, code }) => `${name} (0x${code.toString(16)})`).join(' or ')}, not by multihash 0x${own.multihash.code.toString(16)}`
    })
  return own
}
