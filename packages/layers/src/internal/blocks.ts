import type { Backend, BlockCapabilities, BlockTransport } from '@p2pl/core/backend'
import { type Call, type Interceptor, merge, part } from './call.ts'

export function aroundBlocks(
  backend: Backend,
  capabilities: BlockCapabilities,
  intercept: Interceptor
): BlockTransport {
  const inner = (): BlockTransport => part(backend, 'blocks')
  const call = (name: keyof BlockTransport, options: { signal?: AbortSignal | undefined } | undefined): Call => ({
    operation: `blocks.${name}`,
    backend: backend.name,
    signal: options?.signal
  })
  return {
    get: (cid, options) =>
      intercept.call({ ...call('get', options), local: options?.local }, (changes) =>
        inner().get(cid, merge(options, changes))
      ),
    put: (block, options) =>
      intercept.call({ ...call('put', options), sentBytes: block.bytes.byteLength }, (changes) =>
        inner().put(block, merge(options, changes))
      ),
    putMany: (blocks, options) =>
      intercept.call({ ...call('putMany', options), blocks }, (changes) =>
        inner().putMany(changes?.blocks ?? blocks, merge(options, changes))
      ),
    has: (cid, options) => intercept.call(call('has', options), (changes) => inner().has(cid, merge(options, changes))),
    delete: (cid, options) =>
      intercept.call(call('delete', options), (changes) => inner().delete(cid, merge(options, changes))),
    pin: (cid, options) => intercept.call(call('pin', options), (changes) => inner().pin(cid, merge(options, changes))),
    unpin: (cid, options) =>
      intercept.call(call('unpin', options), (changes) => inner().unpin(cid, merge(options, changes))),
    pins: (options) => intercept.iterate(call('pins', options), (changes) => inner().pins(merge(options, changes))),
    gc: (options) => intercept.iterate(call('gc', options), (changes) => inner().gc(merge(options, changes))),
    ...(capabilities.dag === 'none'
      ? undefined
      : {
          getDag: (root, options) =>
            intercept.iterate({ ...call('getDag', options), local: options?.local }, (changes) => {
              const blocks = inner()
              if (blocks.getDag === undefined)
                throw new TypeError(`the backend "${backend.name}" declares blocks.dag but has no getDag`)
              return blocks.getDag(root, merge(options, changes))
            })
        })
  }
}
