import type { CID } from 'multiformats/cid'
import { strictLinks } from '../content/strict-links.ts'
import { isP2plError } from '../errors.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import { isLeaf } from '../toolbox/links.ts'

const parallel = 32

export interface DeepHasOptions {
  readonly operation: string
  has(cid: CID): Promise<boolean>
  /** The verified bytes of a block that is stored here. */
  fetch(cid: CID): Promise<Uint8Array>
  onProgress(): void
}

/** Whether a whole DAG is stored here. Reads only inner nodes, and each block once, however often it is linked. */
export async function hasDeep(root: CID, options: DeepHasOptions): Promise<boolean> {
  const seen = new Set<string>()
  const open: CID[] = []
  const push = (cid: CID): void => {
    const key = `${isLeaf(cid.code) ? '' : cid.code}/${bytesKey(cid.multihash.bytes)}`
    if (seen.has(key)) return
    seen.add(key)
    open.push(cid)
  }
  const state = { complete: true }
  const work = async (): Promise<void> => {
    for (let cid = open.pop(); cid !== undefined && state.complete; cid = open.pop()) {
      if (isLeaf(cid.code)) {
        if (!(await options.has(cid))) state.complete = false
      } else {
        const bytes = await fetchIfHere(cid, options)
        if (bytes === undefined) state.complete = false
        else for (const link of strictLinks(cid, bytes, options.operation, ': ask with deep: false')) push(link)
      }
      options.onProgress()
    }
  }
  push(root)
  // In rounds, because a worker that finds nothing to do may get links from another one later.
  while (state.complete && open.length > 0) {
    await Promise.all(Array.from({ length: Math.min(parallel, open.length) }, work))
  }
  return state.complete
}

async function fetchIfHere(cid: CID, options: DeepHasOptions): Promise<Uint8Array | undefined> {
  try {
    if (!(await options.has(cid))) return undefined
    return await options.fetch(cid)
  } catch (error) {
    // Deleted between the two calls.
    if (isP2plError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
