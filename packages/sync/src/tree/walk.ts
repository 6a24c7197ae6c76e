import { compareBytes, equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import { decodeEntries, maxEntryBytes } from '../entry/codec.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { isBoundary } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import { maxNodeBytes, maxNodeItems } from '../limits.ts'
import { decodeNode, innerItemBytes, isLeaf, leafItemBytes } from './node.ts'
import type { Child } from './node.ts'

/** What a parent claims about a node. */
interface Claim {
  readonly digest: Bytes
  readonly level?: number | undefined
  readonly key?: Key | undefined
  readonly count?: number | undefined
  /** Every key of the node must be above this one. */
  readonly after?: Key | undefined
  /** Whether the node may end without a boundary, because the whole tree ends there. */
  readonly last: boolean
}

export interface WalkOptions {
  readonly root: Bytes
  readonly bounds: EntryBounds
  /** How many nodes are fetched at once. */
  readonly window: () => number
  readonly fetch: (digest: Bytes) => Promise<Bytes>
  /** Which of these nodes need no walk, because everything below them is here. */
  readonly known?: (level: number, children: readonly Child[]) => Promise<readonly boolean[]>
  /** Called with the number of entries below the root, according to its node. */
  readonly counted?: (count: number) => void
}

export interface Leaf {
  readonly digest: Bytes
  readonly entries: readonly EntryRecord[]
  /** Whether the next node is already here. */
  readonly more: boolean
}

/** A node that was requested. */
interface Fetch {
  readonly bytes: Promise<Bytes>
  here: boolean
}

/**
 * Yields the leaves of another peer's index in canonical order, except those below known nodes. It fetches some nodes
 * ahead. Every claim of a parent about its child is checked, and so is the shape of each node; a contradiction throws
 * `Malformed`. It does not check signatures.
 */
export async function* walk(options: WalkOptions): AsyncGenerator<Leaf, void, undefined> {
  const queue: Claim[] = [{ digest: options.root, last: true }]
  const fetched = new Map<Claim, Fetch>()
  while (queue.length > 0) {
    // Requests half a window at a time, because requests made together travel together.
    const window = options.window()
    if (fetched.size <= window / 2 || !fetched.has(queue[0] as Claim)) {
      for (const claim of queue.slice(0, window)) {
        if (fetched.has(claim)) continue
        const fetch: Fetch = { bytes: options.fetch(claim.digest), here: false }
        // It is awaited later; until then a failure must not count as unhandled.
        fetch.bytes.then(
          () => (fetch.here = true),
          () => undefined
        )
        fetched.set(claim, fetch)
      }
    }
    const claim = queue.shift() as Claim
    const bytes = await (fetched.get(claim) as Fetch).bytes
    fetched.delete(claim)
    const node = decodeNode(bytes)
    if (claim.level !== undefined && claim.level !== node.level) throw new Malformed('node of another level')
    if (isLeaf(node)) {
      const entries = await decodeEntries(node.entries, options.bounds)
      checkLeaf(claim, entries, options.bounds)
      if (claim.level === undefined) options.counted?.(entries.length)
      if (entries.length > 0) {
        yield { digest: claim.digest, entries, more: fetched.get(queue[0] as Claim)?.here === true }
      }
    } else {
      const count = checkInner(claim, node.level, node.children)
      if (claim.level === undefined) options.counted?.(count)
      queue.unshift(...(await below(claim, node.level, node.children, options)))
    }
  }
}

async function below(claim: Claim, level: number, children: readonly Child[], options: WalkOptions): Promise<Claim[]> {
  const known = (await options.known?.(level - 1, children)) ?? []
  const claims: Claim[] = []
  for (const [i, { digest, key, count }] of children.entries()) {
    if (known[i] === true) continue
    const last = claim.last && i === children.length - 1
    claims.push({ digest, key, count, level: level - 1, after: children[i - 1]?.key ?? claim.after, last })
  }
  return claims
}

function checkLeaf(claim: Claim, entries: readonly EntryRecord[], bounds: EntryBounds): void {
  const isRoot = claim.level === undefined
  if (entries.length === 0 && !isRoot) throw new Malformed('leaf without entries')
  if (claim.count !== undefined && claim.count !== entries.length) throw new Malformed('leaf of another size')
  let previous = claim.after
  let bytes = 0
  for (const [i, { key, bytes: entry }] of entries.entries()) {
    if (previous !== undefined && compareBytes(previous, key) >= 0) throw new Malformed('entries out of order')
    if (i < entries.length - 1 && isBoundary(key, 0)) throw new Malformed('boundary inside a leaf')
    previous = key
    bytes += leafItemBytes(entry)
  }
  const last = entries.at(-1)
  if (last !== undefined) checkEnd(claim, last.key, 0, entries.length, bytes, maxEntryBytes(bounds) + 9)
}

/** Returns the number of entries below the node. */
function checkInner(claim: Claim, level: number, children: readonly Child[]): number {
  const [first] = children
  const last = children.at(-1)
  if (first === undefined || last === undefined) throw new Malformed('inner node without children')
  if (claim.level === undefined && children.length === 1) throw new Malformed('root of one child')
  if (claim.after !== undefined && compareBytes(claim.after, first.key) >= 0) throw new Malformed('nodes out of order')
  let count = 0
  let bytes = 0
  for (const child of children) {
    count += child.count
    bytes += innerItemBytes(child)
  }
  if (claim.count !== undefined && claim.count !== count) throw new Malformed('node of another size')
  checkEnd(claim, last.key, level, children.length, bytes, innerItemBytes({ ...last, count: Number.MAX_SAFE_INTEGER }))
  return count
}

/** A node ends at a boundary, at the end of the tree, or because the next item might not have fitted. */
function checkEnd(claim: Claim, key: Key, level: number, items: number, bytes: number, largestItem: number): void {
  if (claim.key !== undefined && !equalBytes(claim.key, key)) throw new Malformed('node ends with another key')
  if (bytes > maxNodeBytes) throw new Malformed('node over the limit')
  if (claim.last || isBoundary(key, level)) return
  if (items < maxNodeItems && bytes + largestItem <= maxNodeBytes) throw new Malformed('node ends without a boundary')
}
