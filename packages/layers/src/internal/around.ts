import type { Layer } from '@p2pl/core/backend'
import { aroundBlocks } from './blocks.ts'
import { type Interceptor, merge } from './call.ts'
import { aroundMessages } from './messages.ts'
import { aroundRouting } from './routing.ts'

/**
 * Makes a layer of an interceptor. Which parts there are follows from the capabilities, which are constant; the parts
 * themselves are looked up at each call, since a backend may make new ones when it is started again.
 */
export function around(intercept: Interceptor): Layer {
  return (backend) => ({
    name: backend.name,
    capabilities: backend.capabilities,
    start: (options) =>
      intercept.call(
        {
          operation: 'start',
          backend: backend.name,
          signal: options?.signal,
          discard: () => void backend.stop().catch(() => undefined)
        },
        (changes) => backend.start(merge(options, changes))
      ),
    stop: (options) =>
      intercept.call({ operation: 'stop', backend: backend.name, signal: options?.signal }, (changes) =>
        backend.stop(merge(options, changes))
      ),
    self: () => backend.self(),
    messages: backend.capabilities.messages && aroundMessages(backend, intercept),
    blocks: backend.capabilities.blocks && aroundBlocks(backend, backend.capabilities.blocks, intercept),
    routing: backend.capabilities.routing && aroundRouting(backend, intercept)
  })
}
