import type { BlockHooks, BlockTransport } from '../port/blocks.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { OpenedBackend } from '../port/definition.ts'
import { part, type PartContext } from './part-context.ts'

export function blockPart({ calls, checks, capabilities, selves }: PartContext): BlockTransport {
  const declared = (): NonNullable<Capabilities['blocks']> =>
    capabilities().blocks as NonNullable<Capabilities['blocks']>
  const blocksOf = ({ blocks }: OpenedBackend): BlockHooks => part(blocks)
  const refuse = (feature: 'pins' | 'gc', operation: string): void => {
    if (declared()[feature] === 'none') throw checks.unsupported(operation, `declares blocks.${feature} as none`)
  }
  return {
    get: (input, options) =>
      calls.call('blocks.get', options, (engine, hook) => {
        const cid = checks.cid('blocks.get', input, declared().hashes)
        const { local, remote, root } = options ?? {}
        if (local === true && remote === true) throw checks.invalid('blocks.get', 'give either local or remote')
        if (remote === true && !declared().remote) throw checks.unsupported('blocks.get', 'asks no other peers')
        const providers = checks.providers('blocks.get', options?.providers, () => selves(engine))
        return blocksOf(engine).get(cid, { ...hook, local, remote, root, providers })
      }),
    putMany: (given, options) =>
      calls.call('blocks.putMany', options, async (engine, hook) => {
        if (!Array.isArray(given)) throw checks.invalid('blocks.putMany', 'blocks are an array of { cid, bytes }')
        const { hashes, maxBlockBytes } = declared()
        const blocks = given.map((block) => checks.block('blocks.putMany', block, hashes, maxBlockBytes))
        if (blocks.length > 0) await blocksOf(engine).putMany(blocks, hook)
      }),
    has: (input, options) =>
      calls.call('blocks.has', options, (engine, hook) =>
        blocksOf(engine).has(checks.cid('blocks.has', input, declared().hashes), hook)
      ),
    delete: (input, options) =>
      calls.call('blocks.delete', options, async (engine, hook) =>
        blocksOf(engine).delete(checks.cid('blocks.delete', input, declared().hashes), hook)
      ),
    pin: (input, options) =>
      calls.call('blocks.pin', options, async (engine, hook) => {
        refuse('pins', 'blocks.pin')
        const cid = checks.cid('blocks.pin', input, declared().hashes)
        const { recursive = true, maxBytes, onProgress } = options ?? {}
        if (maxBytes !== undefined && !(maxBytes >= 0)) {
          throw checks.invalid('blocks.pin', 'maxBytes must be a number from 0')
        }
        const providers = checks.providers('blocks.pin', options?.providers, () => selves(engine))
        await blocksOf(engine).pin?.(cid, { ...hook, recursive, maxBytes, onProgress, providers })
      }),
    unpin: (input, options) =>
      calls.call('blocks.unpin', options, async (engine, hook) => {
        refuse('pins', 'blocks.unpin')
        await blocksOf(engine).unpin?.(checks.cid('blocks.unpin', input, declared().hashes), hook)
      }),
    pins: (options) =>
      calls.iterate('blocks.pins', options, (engine, hook) => {
        refuse('pins', 'blocks.pins')
        return part(blocksOf(engine).pins?.(hook))
      }),
    gc: (options) =>
      calls.iterate('blocks.gc', options, (engine, hook) => {
        refuse('gc', 'blocks.gc')
        return part(blocksOf(engine).gc?.(hook))
      })
  }
}
