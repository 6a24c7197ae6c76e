import type { Backend, Routing } from '@p2pl/core/backend'
import { type Call, type Interceptor, merge, part } from './call.ts'

export function aroundRouting(backend: Backend, intercept: Interceptor): Routing {
  const inner = (): Routing => part(backend, 'routing')
  const call = (name: keyof Routing, options: { signal?: AbortSignal | undefined } | undefined): Call => ({
    operation: `routing.${name}`,
    backend: backend.name,
    signal: options?.signal
  })
  return {
    provide: (cid, options) =>
      intercept.call(call('provide', options), (changes) => inner().provide(cid, merge(options, changes))),
    unprovide: (cid, options) =>
      intercept.call(call('unprovide', options), (changes) => inner().unprovide(cid, merge(options, changes))),
    findProviders: (cid, options) =>
      intercept.iterate(call('findProviders', options), (changes) =>
        inner().findProviders(cid, merge(options, changes))
      ),
    findPeer: (id, options) =>
      intercept.call(call('findPeer', options), (changes) => inner().findPeer(id, merge(options, changes))),
    connect: (peer, options) =>
      intercept.call(call('connect', options), (changes) => inner().connect(peer, merge(options, changes))),
    disconnect: (id, options) =>
      intercept.call(call('disconnect', options), (changes) => inner().disconnect(id, merge(options, changes))),
    connections: (options) =>
      intercept.call(call('connections', options), (changes) => inner().connections(merge(options, changes)))
  }
}
