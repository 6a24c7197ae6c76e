import { CID } from 'multiformats/cid'
import { failure } from './errors.ts'

/** The multihashes that core can verify: code to the name that the daemon knows it by, and the bytes of a whole digest. */
export const hashes: ReadonlyMap<number, { readonly name: string; readonly bytes: number }> = new Map([
  [0x12, { name: 'sha2-256', bytes: 32 }],
  [0x13, { name: 'sha2-512', bytes: 64 }]
])

/** The CID, or `UNSUPPORTED` where nobody could check the block that it names. */
export function verifiable(operation: string, given: unknown): CID {
  const cid = CID.asCID(given)
  if (cid === null) throw failure('INVALID_ARGUMENT', operation, `${operation} takes a CID`)
  const { code, digest } = cid.multihash
  const hash = hashes.get(code)
  if (hash?.bytes === digest.byteLength) return cid
  const what =
    hash === undefined ? `the multihash 0x${code.toString(16)}` : `${hash.name} cut to ${digest.byteLength} bytes`
  throw failure(
    'UNSUPPORTED',
    operation,
    `${what} proves nothing here (${cid.toString().slice(0, 200)}): use whole sha2-256 or sha2-512 digests`
  )
}
