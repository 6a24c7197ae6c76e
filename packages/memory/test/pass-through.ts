import type { Backend, Layer } from '@p2pl/core/backend'

/** A layer that hands everything on: what wraps a backend may not need more than the port. */
export const passThrough: Layer = (backend: Backend): Backend => ({
  name: backend.name,
  capabilities: backend.capabilities,
  start: (options) => backend.start(options),
  stop: (options) => backend.stop(options),
  self: () => backend.self(),
  messages: backend.messages && {
    publish: (...input) => backend.messages!.publish(...input),
    subscribe: (...input) => backend.messages!.subscribe(...input),
    peers: (...input) => backend.messages!.peers(...input)
  },
  blocks: backend.blocks && {
    get: (...input) => backend.blocks!.get(...input),
    put: (...input) => backend.blocks!.put(...input),
    putMany: (...input) => backend.blocks!.putMany(...input),
    has: (...input) => backend.blocks!.has(...input),
    delete: (...input) => backend.blocks!.delete(...input),
    pin: (...input) => backend.blocks!.pin(...input),
    unpin: (...input) => backend.blocks!.unpin(...input),
    pins: (...input) => backend.blocks!.pins(...input),
    gc: (...input) => backend.blocks!.gc(...input),
    getDag: (...input) => backend.blocks!.getDag!(...input)
  },
  routing: backend.routing && {
    provide: (...input) => backend.routing!.provide(...input),
    unprovide: (...input) => backend.routing!.unprovide(...input),
    findProviders: (...input) => backend.routing!.findProviders(...input),
    findPeer: (...input) => backend.routing!.findPeer(...input),
    connect: (...input) => backend.routing!.connect(...input),
    disconnect: (...input) => backend.routing!.disconnect(...input),
    connections: (...input) => backend.routing!.connections(...input)
  }
})
