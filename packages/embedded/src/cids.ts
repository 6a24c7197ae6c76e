import { CID } from 'multiformats/cid'
import type { Failures } from './failures.ts'

const names: ReadonlyMap<number, string> = new Map([
  [0x12, 'sha2-256'],
  [0x13, 'sha2-512']
])

/** The CID as one of the multiformats here, whatever version made it. */
export function checkCid({ failure }: Failures, operation: string, cid: CID): CID {
  const own = CID.asCID(cid)
  if (own === null)
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: `not a CID: ${String(cid).slice(0, 80)}` })
  return own
}

/** The same for blocks, which are kept by multihash. `hashes`: the multihash codes that blocks may be addressed by. */
export function checkBlockCid(failures: Failures, operation: string, cid: CID, hashes: readonly number[]): CID {
  const own = checkCid(failures, operation, cid)
  if (hashes.includes(own.multihash.code)) return own
  const allowed = hashes.map((code) => `${names.get(code) ?? 'multihash'} (0x${code.toString(16)})`).join(' or ')
  throw failures.failure({
    code: 'UNSUPPORTED',
    operation,
    message: `blocks are addressed by ${allowed}, not by multihash 0x${own.multihash.code.toString(16)}`
  })
}
