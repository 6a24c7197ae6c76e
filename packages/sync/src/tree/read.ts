import { ed25519, P2plError } from '@p2pl/core'
import type { Cryptography } from '@p2pl/core'
import { checkKeys, describe, invalidArgument } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { Entry } from '../api.ts'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Malformed } from '../cbor.ts'
import { cidOf, digestOf, hash } from '../cid.ts'
import { proversOf, provenBefore } from '../entry/chains.ts'
import { signedPart, signingDomain, widestBounds } from '../entry/codec.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { publicEntry } from '../entry/public.ts'
import { vouchingReach } from '../limits.ts'
import { Chunker } from './chunker.ts'
import { encodeInner, encodeLeaf, innerItemBytes, leafItemBytes, standardShape } from './node.ts'
import type { Child } from './node.ts'
import { walk } from './walk.ts'

export interface ReadViewSource {
  /** The topic of the view: signatures are bound to it. */
  readonly topic: string
  /** Returns the bytes of a block. `readView` hashes them and compares the hash with the CID. */
  readonly getBlock: (cid: CID) => Promise<Uint8Array>
  /** For simulation only. */
  readonly cryptography?: Cryptography | undefined
}

/**
 * Reads a whole view from its root CID alone, through any source of blocks. Checks every hash, signature, clock, parent
 * and the canonical shape of the index. Yields the entries in canonical order; throws `INVALID_CONTENT` at the first
 * contradiction. Every entry is checked before it is yielded, but the shape of the whole tree is checked at the end.
 * Keeps 40 bytes per entry in memory.
 */
export async function* readView(root: CID, source: ReadViewSource): AsyncGenerator<Entry, void, undefined> {
  checkSource(source)
  if (CID.asCID(root) === null) {
    throw invalidArgument(
      'readView',
      `readView: the root must be a CID, not ${describe(root)}: CID.parse(text) reads one`
    )
  }
  const digest = digestOf(root)
  if (digest === undefined) throw invalid(root, 'it is not the CID of an index (CIDv1, DAG-CBOR, sha2-256)')
  const cryptography = source.cryptography ?? ed25519
  const domain = signingDomain(source.topic)
  const clocks = new Map<string, number>()
  const shape = new Canonical()
  const proofs = new Proofs(async (entry) => await isSigned(cryptography, domain, entry))
  const fetch = async (wanted: Bytes): Promise<Bytes> => {
    const bytes = new Uint8Array(await source.getBlock(cidOf(wanted)))
    if (!equalBytes(await hash(bytes), wanted)) throw new Malformed(`block ${cidOf(wanted).toString()} has other bytes`)
    return bytes
  }
  try {
    for await (const { entries } of walk({ root: digest, bounds: widestBounds, window: () => 8, fetch })) {
      for (const entry of entries) {
        checkClock(entry, clocks)
        clocks.set(entry.id, entry.clock)
        await shape.add(entry)
      }
      for (const entry of await proofs.add(entries)) yield publicEntry(entry)
    }
    for (const entry of await proofs.end()) yield publicEntry(entry)
    if (!equalBytes(await shape.root(), digest)) throw new Malformed('the index does not have its canonical shape')
  } catch (error) {
    if (error instanceof Malformed) throw invalid(root, error.message, error)
    throw error
  }
}

function checkSource(source: ReadViewSource): void {
  const call = 'readView'
  checkKeys(call, source ?? {}, ['topic', 'getBlock', 'cryptography'])
  const { topic, getBlock } = source ?? {}
  if (typeof topic !== 'string' || topic === '') {
    throw invalidArgument(call, `${call}: topic must be the name of the view's topic, not ${describe(topic)}`)
  }
  if (typeof getBlock === 'function') return
  const fix = 'such as (cid) => peer.blocks.get(cid)'
  throw invalidArgument(call, `${call}: getBlock must be a function, ${fix}, not ${describe(getBlock)}`)
}

function invalid(root: CID, reason: string, cause?: unknown): P2plError {
  return new P2plError({
    code: 'INVALID_CONTENT',
    operation: 'readView',
    cause,
    message: `${String(root)} is not the root of a view: ${reason}`
  })
}

async function isSigned(cryptography: Cryptography, domain: Bytes, entry: EntryRecord): Promise<boolean> {
  try {
    return await cryptography.verify(entry.author, signedPart(domain, entry.bytes), entry.signature)
  } catch {
    return false
  }
}

function checkClock(entry: EntryRecord, clocks: ReadonlyMap<string, number>): void {
  let largest = 0
  for (const parent of entry.parents) {
    const clock = clocks.get(mapKey(parent))
    if (clock === undefined) throw new Malformed(`entry ${cidOf(entry.digest).toString()} lacks a parent`)
    largest = Math.max(largest, clock)
  }
  if (entry.clock !== largest + 1) throw new Malformed(`entry ${cidOf(entry.digest).toString()} has a wrong clock`)
}

/** Holds entries back until a signature of their author proves them: their own or that of a later entry. */
class Proofs {
  readonly #verify: (entry: EntryRecord) => Promise<boolean>
  readonly #right: Map<EntryRecord, boolean> = new Map()
  #held: EntryRecord[] = []
  /** The number of held entries at which it is worth checking all of them again. */
  #enough = 0

  constructor(verify: (entry: EntryRecord) => Promise<boolean>) {
    this.#verify = verify
  }

  /** Takes the next entries. Returns entries that are proven: at once, or later when many are held. */
  async add(entries: readonly EntryRecord[]): Promise<readonly EntryRecord[]> {
    if ((await this.#check(proversOf(entries))) && this.#held.length === 0) {
      this.#right.clear()
      return entries
    }
    await this.#check(entries)
    for (const entry of entries) this.#held.push(entry)
    return this.#held.length < this.#enough ? [] : this.#release()
  }

  async end(): Promise<readonly EntryRecord[]> {
    const all = this.#release()
    const [first] = this.#held
    if (first !== undefined) throw unsigned(first)
    return all
  }

  #release(): EntryRecord[] {
    const last = this.#held.at(-1)
    const proven = this.#held.splice(
      0,
      provenBefore(this.#held, (entry) => this.#right.get(entry) === true)
    )
    for (const entry of proven) this.#right.delete(entry)
    const [first] = this.#held
    if (first !== undefined && first.clock + vouchingReach < (last?.clock ?? 0)) throw unsigned(first)
    this.#enough = 2 * this.#held.length
    return proven
  }

  async #check(entries: readonly EntryRecord[]): Promise<boolean> {
    await Promise.all(
      entries.map(async (entry) => {
        if (!this.#right.has(entry)) this.#right.set(entry, await this.#verify(entry))
      })
    )
    return entries.every((entry) => this.#right.get(entry))
  }
}

function unsigned({ digest }: EntryRecord): Malformed {
  return new Malformed(`entry ${cidOf(digest).toString()} has a wrong signature`)
}

/** Builds the tree of a sequence of entries, keeping one unfinished node per level. */
class Canonical {
  readonly #leaves: Chunker<EntryRecord> = new Chunker(0, standardShape)
  readonly #levels: Chunker<Child>[] = []
  /** The number of nodes so far per level, and the last node of each. */
  readonly #nodes: { count: number; last: Bytes }[] = []

  async add(entry: EntryRecord): Promise<void> {
    for (const leaf of this.#leaves.push(entry, leafItemBytes(entry.bytes))) await this.#leaf(leaf)
  }

  async root(): Promise<Bytes> {
    const rest = this.#leaves.end()
    if (rest !== undefined) await this.#leaf(rest)
    for (let level = 0; ; level++) {
      const nodes = this.#nodes[level]
      if (nodes === undefined) return await hash(encodeLeaf([]))
      if (nodes.count === 1) return nodes.last
      const children = this.#levels[level]?.end()
      if (children !== undefined) await this.#inner(level + 1, children)
    }
  }

  async #leaf(entries: readonly EntryRecord[]): Promise<void> {
    const digest = await hash(encodeLeaf(entries.map(({ bytes }) => bytes)))
    await this.#node(0, { key: (entries.at(-1) as EntryRecord).key, digest, count: entries.length })
  }

  async #inner(level: number, children: readonly Child[]): Promise<void> {
    const digest = await hash(encodeInner(level, children))
    const count = children.reduce((sum, child) => sum + child.count, 0)
    await this.#node(level, { key: (children.at(-1) as Child).key, digest, count })
  }

  async #node(level: number, child: Child): Promise<void> {
    const nodes = this.#nodes[level]
    this.#nodes[level] = { count: (nodes?.count ?? 0) + 1, last: child.digest }
    const above = (this.#levels[level] ??= new Chunker(level + 1, standardShape))
    for (const node of above.push(child, innerItemBytes(child))) await this.#inner(level + 1, node)
  }
}
