import { CID } from 'multiformats/cid'
import type { Blocks } from '../api/blocks.ts'
import { Batches } from '../content/batches.ts'
import { assertVerifiable, cidOf, identityBytes } from '../content/hash.ts'
import { codecs } from '../content/layout.ts'
import { isBytes, plainBytes } from '../toolbox/bytes.ts'
import { describe } from '../toolbox/options.ts'
import { invalidArgument, P2plError, unsupported } from '../errors.ts'
import type { BlockCapabilities } from '../port/capabilities.ts'
import type { Block } from '../port/common.ts'
import { Calls, reading } from './calls.ts'
import { toCid } from './cid-input.ts'
import type { DataContext } from './context.ts'

/** The form that the peer itself uses; apps see {@link Blocks}. */
export interface OwnBlocks extends Blocks {
  /** Ends pending calls with `NOT_RUNNING`. */
  stop(): void
}

/** The blocks of a peer, on top of its backend's. */
export function createBlocks(context: DataContext): OwnBlocks {
  const calls = new Calls(context)
  const { timeouts } = context
  return {
    stop: () => {
      calls.stop()
    },

    async get(input, options) {
      const operation = 'blocks.get'
      const cid = toCid(input, operation)
      return await calls.run(
        options,
        timeouts.get,
        operation,
        (countdown) => calls.fetcher(operation, options, countdown)(cid),
        reading
      )
    },

    async put(bytes, options) {
      const operation = 'blocks.put'
      const codec = options?.codec ?? codecs.raw
      if (!Number.isSafeInteger(codec) || codec < 0) {
        throw invalidArgument(operation, `codec must be a multicodec code, not ${String(options?.codec)}`)
      }
      const { capabilities } = calls.blocks(operation)
      checkBytes(bytes, capabilities, context.backend.name, operation)
      return await calls.run(
        options,
        timeouts.put,
        operation,
        async ({ signal }) => {
          const block = { cid: await cidOf(codec, bytes), bytes: plainBytes(bytes) }
          await calls.store(operation, [block], { signal })
          return block.cid
        },
        ['codec']
      )
    },

    async putMany(blocks, options) {
      const operation = 'blocks.putMany'
      const { capabilities } = calls.blocks(operation)
      assertIterable(blocks, operation)
      await calls.run(options, timeouts.put, operation, async (countdown) => {
        const { signal } = countdown
        const batches = new Batches(async (batch) => {
          await countdown.race(calls.store(operation, batch, { signal }))
          countdown.renew()
        })
        // An error of the caller's iterable belongs to the caller, and is thrown unchanged.
        for await (const block of blocks) {
          signal.throwIfAborted()
          countdown.renew()
          const own = checkBlock(block, capabilities, context.backend.name, operation)
          if (own !== undefined) await batches.add(own)
        }
        await batches.finish()
      })
    },

    async has(input, options) {
      const operation = 'blocks.has'
      const cid = toCid(input, operation)
      const { transport } = calls.blocks(operation)
      return await calls.run(options, timeouts.store, operation, async ({ signal }) => {
        if (identityBytes(cid, operation) !== undefined) return true
        return await calls.port(operation, () => transport.has(cid, { signal }))
      })
    },

    async delete(input, options) {
      const operation = 'blocks.delete'
      const cid = toCid(input, operation)
      const { transport } = calls.blocks(operation)
      await calls.run(options, timeouts.store, operation, async ({ signal }) => {
        if (identityBytes(cid, operation) !== undefined) return
        await calls.port(operation, () => transport.delete(cid, { signal }))
      })
    }
  }
}

/** The block, with a CID of this installation's multiformats. `undefined` for identity CIDs, which carry their bytes themselves. */
function checkBlock(
  block: Block,
  capabilities: BlockCapabilities,
  backend: string,
  operation: string
): Block | undefined {
  const cid = CID.asCID((block as Block | null | undefined)?.cid)
  if (cid === null) throw invalidArgument(operation, 'each block must be { cid, bytes } with a CID')
  checkBytes(block.bytes, capabilities, backend, operation)
  if (identityBytes(cid, operation) !== undefined) return undefined
  if (!capabilities.hashes.includes(cid.multihash.code)) {
    throw unsupported(backend, `${operation} of multihash 0x${cid.multihash.code.toString(16)}`)
  }
  // A block that cannot be verified could never be read again.
  assertVerifiable(cid, operation, backend)
  return { cid, bytes: plainBytes(block.bytes) }
}

function assertIterable(blocks: unknown, operation: string): void {
  const iterable = typeof blocks === 'object' && blocks !== null && !isBytes(blocks)
  if (iterable && (Symbol.asyncIterator in blocks || Symbol.iterator in blocks)) return
  throw invalidArgument(
    operation,
    `${operation}: the blocks must be an array or another (async) iterable of { cid, bytes }, not ${describe(blocks)}`
  )
}

function checkBytes(bytes: unknown, { maxBlockBytes }: BlockCapabilities, backend: string, operation: string): void {
  if (!isBytes(bytes)) throw invalidArgument(operation, 'a block must be a Uint8Array')
  if (bytes.byteLength > maxBlockBytes) {
    throw new P2plError({
      code: 'TOO_LARGE',
      operation,
      backend,
      message: `a block of ${bytes.byteLength} bytes is over the limit of "${backend}", ${maxBlockBytes}: data.add takes content of any size`
    })
  }
}
