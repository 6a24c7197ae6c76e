import { P2plError } from '@p2pl/core'
import { toCid } from '@p2pl/core/content'
import type { CID } from 'multiformats/cid'
import { wrongName } from './names.ts'
import type { PathInput } from './types.ts'

/** A root and the names that lead down from it. */
export interface Path {
  readonly root: CID
  readonly names: readonly string[]
}

/**
 * Parses a CID, or a path `cid/name/name`, with or without a leading `/ipfs/` or `ipfs://`. Throws `INVALID_ARGUMENT` for
 * anything else.
 */
export function parsePath(input: PathInput, operation: string): Path {
  const wrong = (message: string, cause?: unknown): P2plError =>
    new P2plError({ code: 'INVALID_ARGUMENT', operation, message, cause })
  if (typeof input !== 'string') return { root: toCid(input, operation), names: [] }
  const parts = input.replace(/^(?:\/ipfs\/|ipfs:\/\/)/, '').split('/')
  if (parts.length > 1 && parts.at(-1) === '') parts.pop()
  let path: Path
  try {
    path = split(parts, operation)
  } catch (cause) {
    throw wrong(`${JSON.stringify(parts[0]?.slice(0, 100))} is no CID; a path is cid/name/name`, cause)
  }
  for (const name of path.names) {
    const reason = wrongName(name)
    if (reason !== undefined) throw wrong(`the name ${JSON.stringify(name)} cannot be in a path: ${reason}`)
  }
  return path
}

/** A CID in base64 (`m`, `M`) may itself contain slashes. A part of a CID is not a CID, so the first one that parses is right. */
function split(parts: readonly string[], operation: string): Path {
  const [first = ''] = parts
  const most = /^m/i.test(first) ? Math.min(parts.length, 128) : 1
  for (let count = most; count > 1; count--) {
    try {
      return { root: toCid(parts.slice(0, count).join('/'), operation), names: parts.slice(count) }
    } catch {
      // Try fewer parts.
    }
  }
  return { root: toCid(first, operation), names: parts.slice(1) }
}
