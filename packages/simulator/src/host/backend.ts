import { defineBackend } from '@p2pl/core/backend'
import type { Backend, BlockHooks, Capabilities, MessageHooks, RoutingHooks, SecretStore } from '@p2pl/core/backend'
import { blockKey } from '@p2pl/memory'
import type { MemoryStore } from '@p2pl/memory'
import { networkName, parseAddress, peerInfo } from '../address.ts'
import { failure } from '../errors.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { SimulatedNetwork } from '../network/network.ts'

export interface BackendParts {
  readonly id: string
  readonly network: SimulatedNetwork
  readonly store: MemoryStore
  /** Also keeps the secrets. */
  readonly disk: Map<string, unknown>
  readonly capabilities: Capabilities
}

/** Implements the port on a simulated network. */
export function createBackend({ id, network, store, disk, capabilities }: BackendParts): Backend {
  return defineBackend({
    name: 'simulator',
    network: networkName,
    capabilities,
    open: async ({ report }) => {
      const endpoint: Endpoint = { id, store, topics: new Map(), report }
      network.join(endpoint)
      store.open()
      return {
        self: () => peerInfo(id),
        messages: messageHooks(network, endpoint),
        blocks: blockHooks(network, endpoint, capabilities.blocks?.maxBlockBytes ?? Infinity),
        routing: routingHooks(network, endpoint),
        secrets: secretsOn(disk),
        close: async () => {
          network.leave(endpoint)
          store.close()
        }
      }
    }
  })
}

function secretsOn(disk: Map<string, unknown>): SecretStore {
  return {
    get: async (name) => disk.get(`secrets/${name}`) as Uint8Array | undefined,
    set: async (name, secret) => void disk.set(`secrets/${name}`, secret.slice())
  }
}

function messageHooks(network: SimulatedNetwork, { id, topics }: Endpoint): MessageHooks {
  const node = network.node(id)
  return {
    // The caller may reuse its buffer as soon as the call returns.
    publish: async (topic, payload) => ({ recipients: network.topics.publish(node, topic, payload.slice()) }),
    join: async (topic, subscriber) => {
      topics.set(topic, subscriber)
      network.topics.changed(node, topic)
      return {
        close: async () => {
          topics.delete(topic)
          network.topics.changed(node, topic)
        }
      }
    },
    peers: async (topic) => network.topics.recipients(node, topic).map(peerInfo)
  }
}

function blockHooks(network: SimulatedNetwork, endpoint: Endpoint, maxBytes: number): BlockHooks {
  const { exchange } = network
  const { store } = endpoint
  const here = network.node(endpoint.id)
  return {
    get: async (cid, { local, remote = false, providers = [], signal }) => {
      const stored = remote ? undefined : store.get(cid)
      if (stored !== undefined) return stored
      if (local === true) throw failure('NOT_FOUND', 'blocks.get', `${cid.toString()} is not stored here`)
      return await exchange.find(here, { cid, remote, hints: providers.map(({ id }) => id), maxBytes }, signal)
    },
    putMany: async (blocks) => {
      for (const block of blocks) {
        store.put(block)
        exchange.stored(here, block.cid)
      }
    },
    has: async (cid) => store.has(cid),
    delete: async (cid) => {
      if (store.delete(cid)) exchange.removed(here, blockKey(cid))
    },
    pin: async (root, { recursive = true, providers = [], maxBytes: most, onProgress, signal }) => {
      const hints = providers.map(({ id }) => id)
      const fetch = (cid: typeof root): Promise<unknown> =>
        exchange.find(here, { cid, remote: false, hints, maxBytes }, signal)
      await store.pin({ root, recursive, maxBytes: most, onProgress, signal, fetch })
    },
    unpin: async (cid) => {
      store.unpin(cid)
    },
    async *pins() {
      for (const { cid, recursive } of store.pins.values()) yield { cid, recursive }
    },
    async *gc() {
      for (const cid of store.gc()) {
        exchange.removed(here, blockKey(cid))
        yield cid
      }
    }
  }
}

function routingHooks(network: SimulatedNetwork, endpoint: Endpoint): RoutingHooks {
  const node = network.node(endpoint.id)
  return {
    provide: (cid, { signal }) => network.provide(endpoint, cid, signal),
    unprovide: async (cid) => {
      network.records.remove(blockKey(cid), node)
    },
    async *findProviders(cid, { signal }) {
      for (const { id } of await network.providers(endpoint, cid, signal)) yield peerInfo(id)
    },
    findPeer: (id, { signal }) => network.findPeer(endpoint, id, signal),
    connect: async ({ id, addresses }, { signal }) => {
      const [there = id] = addresses.flatMap((address) => parseAddress(address)?.id ?? [])
      if (there !== id)
        throw failure('UNREACHABLE', 'routing.connect', `the peer at "${peerInfo(there).addresses[0]}" is not "${id}"`)
      await network.connect(endpoint, id, signal)
    },
    disconnect: async (id) => {
      network.disconnect(endpoint, id)
    },
    connections: async () => network.connections(endpoint).map(peerInfo),
    parseAddress
  }
}
