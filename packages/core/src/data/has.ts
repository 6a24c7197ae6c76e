import { decode as decodeDagCbor } from '@ipld/dag-cbor'
import { decode as decodeDagPb } from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { codecs } from '../content/layout.ts'
import { invalidContent } from '../content/node.ts'
import { isP2plError, P2plError } from '../errors.ts'

const parallel = 32
/** Codecs without links, beside raw: cbor, json, libp2p-key. */
const leaves: ReadonlySet<number> = new Set([codecs.raw, 0x51, 0x0200, 0x72])

export interface DeepHasOptions {
  readonly operation: string
  has(cid: CID): Promise<boolean>
  /** The verified bytes of a block that is stored here. */
  fetch(cid: CID): Promise<Uint8Array>
  onProgress(): void
}

/** Whether a whole DAG is stored here. Reads inner nodes only; each block once, however often it is linked. */
export async function hasDeep(root: CID, options: DeepHasOptions): Promise<boolean> {
  const seen = new Set<string>()
  const open: CID[] = []
  const push = (cid: CID): void => {
    const key = cid.code === codecs.raw ? cid.multihash.bytes.join() : `${cid.code}/${cid.multihash.bytes.join()}`
    if (seen.has(key)) return
    seen.add(key)
    open.push(cid)
  }
  const state = { complete: true }
  const work = async (): Promise<void> => {
    for (let cid = open.pop(); cid !== undefined && state.complete; cid = open.pop()) {
      if (leaves.has(cid.code)) {
        if (!(await options.has(cid))) state.complete = false
      } else {
        const bytes = await fetchIfHere(cid, options)
        if (bytes === undefined) state.complete = false
        else for (const link of linksOf(cid, bytes, options.operation)) push(link)
      }
      options.onProgress()
    }
  }
  push(root)
  // Rounds, since a worker that finds nothing open may be about to get links from another one.
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

function linksOf(cid: CID, bytes: Uint8Array, operation: string): CID[] {
  try {
    if (cid.code === codecs.dagPb) return decodeDagPb(bytes).Links.map((link) => link.Hash)
    if (cid.code === codecs.dagCbor) return cidsIn(decodeDagCbor(bytes))
  } catch (cause) {
    throw invalidContent(operation, cid, 'cannot be decoded as its codec says', cause)
  }
  throw new P2plError({
    code: 'UNSUPPORTED',
    operation,
    message: `the links of codec 0x${cid.code.toString(16)} are unknown here (${cid.toString()}); raw, dag-pb and dag-cbor are known: ask with deep: false`
  })
}

function cidsIn(root: unknown): CID[] {
  const found: CID[] = []
  const open: unknown[] = [root]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue
    const cid = CID.asCID(value)
    if (cid === null) for (const item of Object.values(value)) open.push(item)
    else found.push(cid)
  }
  return found
}
