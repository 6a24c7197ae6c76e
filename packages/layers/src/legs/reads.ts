import {
  type Block,
  type GetBlockOptions,
  isP2plError,
  P2plError,
  type PeerInfo,
  verifyBlock
} from '@p2pl/core/backend'
import { nothingWorks } from './faults.ts'
import type { Leg } from './leg.ts'
import type { Legs } from './legs.ts'
import { staggered, type Try } from './staggered.ts'

type Cid = Block['cid']

const operation = 'blocks.get'
/** A store that has the block delivers it sooner than this, in milliseconds. */
const storePatience = 20

/**
 * The block from the first leg that delivers the right bytes. @param stagger - Milliseconds from asking one leg's peers to
 * asking the next leg's.
 */
export async function readBlock(legs: Legs, stagger: number, cid: Cid, options: GetBlockOptions): Promise<Uint8Array> {
  const { local, remote, providers, root, signal } = options
  const candidates = inOrder(legs, providers)
  // Such a leg runs and has its store, although its network cannot be used.
  const left = legs.all.filter((leg) => leg.running && !candidates.includes(leg))
  let wrong: Uint8Array | undefined
  const from = (
    leg: Leg,
    after: number,
    extra: { local?: boolean | undefined; remote?: boolean | undefined }
  ): Try<Uint8Array> => ({
    after,
    run: async (end) => {
      leg.lastCid = cid
      const bytes = await legs.run(leg, operation, { ...options, signal: end }, async (inner) => {
        return await leg.backend.blocks?.get(cid, { ...inner, ...extra, providers, root })
      })
      if (bytes !== undefined && (await isRight(cid, bytes))) {
        if (extra.local !== true) legs.lastSource = leg
        return bytes
      }
      wrong ??= bytes
      throw new P2plError({
        code: 'INVALID_CONTENT',
        operation,
        backend: leg.name,
        message: 'the bytes are not those of the CID'
      })
    }
  })
  const stores = (list: readonly Leg[], after: number): Try<Uint8Array>[] =>
    list.map((leg, index) => from(leg, index === 0 ? after : 0, { local: true }))
  const [first, ...others] = candidates
  if (first === undefined && left.length === 0) throw nothingWorks()
  const tries: Try<Uint8Array>[] = []
  if (local === true) tries.push(...stores([...candidates, ...left], 0))
  else {
    if (first !== undefined) tries.push(from(first, 0, { remote }))
    if (remote !== true && stagger > 0) tries.push(...stores([...others, ...left], storePatience))
    tries.push(...others.map((leg) => from(leg, stagger, { remote })))
    if (remote !== true && stagger === 0) tries.push(...stores(left, 0))
  }
  try {
    return await staggered(legs.clock, tries, signal)
  } catch (error) {
    // Core checks the bytes again, and asks other peers for better ones.
    if (wrong !== undefined && !signal.aborted && !isP2plError(error, 'NOT_RUNNING')) return wrong
    throw error
  }
}

/** First come the legs whose network a provider is said to be on, then the leg that delivered the last block. */
function inOrder(legs: Legs, providers: readonly PeerInfo[] | undefined): readonly Leg[] {
  const hinted = (leg: Leg): boolean => providers?.some(({ network }) => leg.networks()?.includes(network)) === true
  const rank = (leg: Leg): number => (hinted(leg) ? 0 : 2) + (legs.lastSource === leg ? 0 : 1)
  return legs.candidates.toSorted((a, b) => rank(a) - rank(b))
}

async function isRight(cid: Cid, bytes: Uint8Array): Promise<boolean> {
  try {
    await verifyBlock(cid, bytes, operation, '')
    return true
  } catch (error) {
    // A hash that core cannot check is not checked here either.
    return !isP2plError(error, 'INVALID_CONTENT')
  }
}
