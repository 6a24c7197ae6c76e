import {
  type Block,
  type BlockCapabilities,
  type BlockHooks,
  bytesKey,
  type HookOptions,
  isP2plError,
  P2plError,
  type Pin,
  type PinOptions,
  type Progress
} from '@p2pl/core/backend'
import { attempts } from './attempts.ts'
import { copyDag } from './copy-dag.ts'
import { mostTelling, movesOn, nothingWorks } from './faults.ts'
import type { Leg } from './leg.ts'
import type { Legs } from './legs.ts'
import { readBlock } from './reads.ts'
import { staggered } from './staggered.ts'

type Cid = Block['cid']
type Blocks = NonNullable<Leg['backend']['blocks']>
type Inner = Parameters<Blocks['has']>[1]

/** How long to wait for the store of a leg that is out of use, in milliseconds. */
const leftPatience = 1_000
/**
 * Once enough legs have stored a block, the others get this many more milliseconds: waiting for a slow leg slows the writer
 * down.
 */
const writePatience = 1_000
/** Milliseconds from pinning on one leg to pinning on the next, if the first has not fetched everything by then. */
const pinStagger = 1_000

export interface StorePolicy {
  /** The minimum number of legs that have a block or pin when its call resolves. */
  readonly quorum: number
  /** Milliseconds from asking one leg's peers to asking the next's. */
  readonly stagger: number
}

/** The store of a combinator: it has every block that any of its legs has stored. */
export function blockHooks(legs: Legs, policy: StorePolicy, capabilities: () => BlockCapabilities): BlockHooks {
  const on = async <T>(
    leg: Leg,
    operation: string,
    options: HookOptions,
    work: (blocks: Blocks, inner: Inner) => Promise<T>
  ): Promise<T> => await legs.run(leg, operation, options, async (inner) => await work(blocksOf(leg), inner))

  /** Calls every running leg. An answer from a leg that is out of use counts only if it comes soon. */
  const onEach = async <T>(
    operation: string,
    options: HookOptions,
    work: (blocks: Blocks, inner: Inner) => Promise<T>
  ): Promise<readonly T[]> => {
    const { candidates } = legs
    const left = legs.all.filter((leg) => leg.running && !candidates.includes(leg))
    const works = [...candidates, ...left].map(async (leg) => await on(leg, operation, options, work))
    const { values, errors } = await attempts(legs.clock, works, leftPatience, candidates.length)
    const final = errors.find((error) => !movesOn(error))
    if (final !== undefined) throw final
    if (values.length === 0) throw mostTelling(errors) ?? nothingWorks()
    return values
  }

  /**
   * Writes to all legs, because the peers of a network fetch only from the store of the leg on that network. Resolves when
   * all have it, or soon after enough have it.
   */
  const write = async (operation: string, patience: number, work: (leg: Leg) => Promise<void>): Promise<void> => {
    const works = legs.candidates.map(work)
    const { values, errors } = await attempts(legs.clock, works, patience, policy.quorum)
    if (values.length >= policy.quorum) return
    if (policy.quorum === 1) throw mostTelling(errors) ?? nothingWorks()
    throw errors.find((error) => !movesOn(error)) ?? tooFew(operation, values.length, errors)
  }

  const tooFew = (operation: string, done: number, failures: readonly unknown[]): P2plError => {
    const missing = legs.all.filter((leg) => !leg.up).map(({ name }) => name)
    const why = missing.length === 0 ? '' : `; ${missing.join(', ')} cannot be used now`
    const first = failures.find((failure) => isP2plError(failure))
    const message = `${operation} was done by ${done} of its backends and needs ${policy.quorum}${why}: try again, or set a smaller quorum`
    return new P2plError({
      code: first?.code ?? 'UNREACHABLE',
      retryable: first?.retryable,
      cause: failures[0],
      message
    })
  }

  const get: BlockHooks['get'] = async (cid, options) => {
    const local = options.local === true || !capabilities().remote ? true : undefined
    return await readBlock(legs, policy.stagger, cid, { ...spread(options), local })
  }

  /** Copies into the store of a leg what other stores have of a DAG. Blocks that no store has are left out. */
  const gather = async (root: Cid, leg: Leg, { recursive, ...options }: PinOptions): Promise<void> => {
    await copyDag(root, {
      recursive,
      signal: options.signal,
      has: async (cid) => await on(leg, 'blocks.has', options, (blocks, inner) => blocks.has(cid, inner)),
      get: async (cid) =>
        await get(cid, { ...options, providers: undefined, local: true }).catch((error: unknown) => {
          if (isP2plError(error, 'NOT_FOUND')) return undefined
          throw error
        }),
      put: async (block) => await on(leg, 'blocks.putMany', options, (blocks, inner) => blocks.putMany([block], inner))
    })
  }

  const pinOn = async (
    leg: Leg,
    root: Cid,
    options: PinOptions,
    onProgress?: PinOptions['onProgress']
  ): Promise<void> => {
    const { recursive, providers, maxBytes } = options
    await on(leg, 'blocks.pin', options, (blocks, inner) =>
      blocks.pin(root, { ...inner, recursive, providers, maxBytes, onProgress })
    )
  }

  const pin = async (root: Cid, given: PinOptions): Promise<void> => {
    const options = spread(given)
    const { signal } = options
    const onProgress = forwards(given.onProgress)
    const holders = await Promise.all(
      legs.candidates.map(async (leg) => ({
        leg,
        holds: await on(leg, 'blocks.has', options, (blocks, inner) => blocks.has(root, inner)).catch(() => false)
      }))
    )
    // A leg that has the root needs to fetch the least.
    const order = holders.toSorted((a, b) => Number(b.holds) - Number(a.holds)).map(({ leg }) => leg)
    const several = legs.all.length > 1
    const done = await staggered(
      legs.clock,
      order.map((leg) => ({
        after: pinStagger,
        run: async (end) => {
          const ended = { ...options, signal: end }
          // Blocks that another store of this peer has need not come from the network.
          if (several) await gather(root, leg, ended)
          await pinOn(leg, root, ended, onProgress)
          return leg
        }
      })),
      signal
    )
    await write('blocks.pin', Infinity, async (leg) => {
      if (leg === done) return
      await gather(root, leg, options)
      await pinOn(leg, root, options)
    })
  }

  return {
    get,
    putMany: async (blocks, options) => {
      await write('blocks.putMany', writePatience, async (leg) => {
        leg.lastCid = blocks[0]?.cid
        await on(leg, 'blocks.putMany', options, (store, inner) => store.putMany(blocks, inner))
      })
    },
    has: async (cid, options) => {
      const answers = await onEach('blocks.has', options, (blocks, inner) => blocks.has(cid, inner))
      return answers.includes(true)
    },
    delete: async (cid, options) => {
      await onEach('blocks.delete', options, (blocks, inner) => blocks.delete(cid, inner))
    },
    pin,
    unpin: async (cid, options) => {
      await onEach('blocks.unpin', options, (blocks, inner) => blocks.unpin(cid, inner))
    },
    pins: (options) => {
      const seen = new Set<string>()
      const isNew = (_leg: Leg, { cid, recursive }: Pin): boolean => {
        const key = `${String(recursive)}/${bytesKey(cid.multihash.bytes)}`
        return !seen.has(key) && seen.add(key).size > 0
      }
      return each(legs, 'blocks.pins', options, (blocks, inner) => blocks.pins(inner), isNew)
    },
    gc: (options) => {
      // A block that another store still has is not gone. It is reported when that store removes it, too.
      const isGone = async (leg: Leg, cid: Cid): Promise<boolean> => {
        const others = legs.candidates.filter((other) => other !== leg)
        const held = others.map((other) => on(other, 'blocks.has', options, (blocks, inner) => blocks.has(cid, inner)))
        return !(await Promise.allSettled(held)).some((result) => result.status === 'fulfilled' && result.value)
      }
      return each(legs, 'blocks.gc', options, (blocks, inner) => blocks.gc(inner), isGone)
    }
  }
}

/** The items of all stores, without those that are left out. */
async function* each<T>(
  legs: Legs,
  operation: string,
  options: HookOptions,
  open: (blocks: Blocks, inner: Inner) => AsyncIterable<T>,
  counts: (leg: Leg, item: T) => boolean | Promise<boolean>
): AsyncGenerator<T, void, undefined> {
  let failure: unknown
  let succeeded = false
  for (const leg of legs.candidates) {
    const end = new AbortController()
    const iterator = open(blocksOf(leg), { signal: end.signal, context: options.context })[Symbol.asyncIterator]()
    try {
      for (;;) {
        const item = await legs.run(leg, operation, options, async () => await iterator.next())
        if (item.done === true) break
        if (await counts(leg, item.value)) yield item.value
      }
      succeeded = true
    } catch (error) {
      if (options.signal.aborted || !movesOn(error)) throw error
      failure ??= error
    } finally {
      end.abort()
    }
  }
  if (!succeeded) throw failure ?? nothingWorks()
}

/** The signal of a hook is created on access, so a spread does not copy it. */
function spread<O extends HookOptions>(options: O): O {
  return { ...options, signal: options.signal, context: options.context }
}

/** Reports the progress of the leg that is ahead. It never goes back. */
function forwards(told: ((progress: Progress) => void) | undefined): ((progress: Progress) => void) | undefined {
  if (told === undefined) return undefined
  let last: Progress = { bytes: -1, blocks: -1 }
  return (progress) => {
    if (progress.bytes < last.bytes || progress.blocks < last.blocks) return
    last = progress
    told(progress)
  }
}

function blocksOf(leg: Leg): Blocks {
  return leg.backend.blocks as Blocks
}
