import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { isBytesOf, isCount, isTuple } from '../envelope/checks.ts'
import { P2plError } from '../errors.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId, publicKeyLength } from '../identity.ts'
import type { RecordStore } from '../api/receipts.ts'

/** One root that is kept for others. */
export interface KeptRecord {
  readonly cid: CID
  readonly cost: number
  readonly own: boolean
  /**
   * The peers that it is kept for, each with the remaining milliseconds. Time in which this peer does not run does not
   * count, so no wall clock is needed.
   */
  readonly askers: readonly { readonly peer: string; readonly left: number }[]
}

export interface KeptState {
  readonly roots: readonly KeptRecord[]
  readonly leftovers: { readonly known: number; readonly strangers: number }
}

const name = 'receipts'
const version = 1

/** Stores what a peer keeps for others across restarts, if it has a place for records. */
export class KeptRecords {
  readonly #store: RecordStore | undefined
  #saved: Promise<void> = Promise.resolve()
  #next: { readonly state: KeptState; readonly done: Promise<void> } | undefined

  constructor(store: RecordStore | undefined) {
    this.#store = store
  }

  async load(): Promise<KeptState> {
    const bytes = await this.#store?.get(name)
    if (bytes === undefined) return { roots: [], leftovers: { known: 0, strangers: 0 } }
    const state = parse(bytes)
    if (state !== undefined) return state
    throw new P2plError({
      code: 'STORAGE',
      operation: 'createPeer',
      message: `the list of what this peer keeps for others is damaged, or of another version: remove its record "${name}", beside the identity of the peer, and unpin what is not yours`
    })
  }

  /** Resolves when this state, or a later one, is stored. States that come during a write share the next one. */
  save(state: KeptState): Promise<void> {
    if (this.#store === undefined) return Promise.resolve()
    if (this.#next !== undefined) {
      this.#next = { state, done: this.#next.done }
      return this.#next.done
    }
    const done = this.#saved
      .catch(() => undefined)
      .then(async () => {
        const latest = this.#next?.state ?? state
        this.#next = undefined
        await this.#store?.set(name, encodeState(latest))
      })
    this.#next = { state, done }
    this.#saved = done
    return done
  }
}

/** DAG-CBOR `[1, roots, leftovers]`; a root is `[cid, cost, own, [[key, left] …]]`. */
function encodeState({ roots, leftovers }: KeptState): Uint8Array {
  const encoded = roots.map(({ cid, cost, own, askers }) => [
    cid,
    cost,
    own,
    askers.map(({ peer, left }) => [publicKeyFromPeerId(peer), Math.floor(left)])
  ])
  return encode([version, encoded, [leftovers.known, leftovers.strangers]])
}

function parse(bytes: Uint8Array): KeptState | undefined {
  try {
    const value: unknown = decode(bytes)
    if (!isTuple(value, 3) || value[0] !== version) return undefined
    const [, list, counts] = value
    if (!Array.isArray(list) || !isTuple(counts, 2)) return undefined
    const [known, strangers] = counts
    const roots = (list as unknown[]).map(parseRoot)
    if (!isCount(known) || !isCount(strangers) || roots.includes(undefined)) return undefined
    return { roots: roots as KeptRecord[], leftovers: { known, strangers } }
  } catch {
    return undefined
  }
}

function parseRoot(value: unknown): KeptRecord | undefined {
  if (!isTuple(value, 4)) return undefined
  const [link, cost, own, list] = value
  const cid = CID.asCID(link)
  if (cid === null || !isCount(cost) || typeof own !== 'boolean' || !Array.isArray(list)) return undefined
  const askers: { peer: string; left: number }[] = []
  for (const each of list as unknown[]) {
    if (!isTuple(each, 2)) return undefined
    const [key, left] = each
    if (!isBytesOf(key, publicKeyLength) || !isCount(left)) return undefined
    askers.push({ peer: peerIdFromPublicKey(key), left })
  }
  return { cid, cost, own, askers }
}
