import { throwIfAborted } from '@p2pl/core/backend'
import type { Backend, BackendEvent, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { createBlocks } from './blocks.ts'
import type { FullCapabilities } from '../capabilities.ts'
import { backendName } from '../errors.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import { peerInfo } from '../address.ts'
import { Lifecycle } from './lifecycle.ts'
import { createMessages, Subscriptions } from './messages.ts'
import { createRouting } from './routing.ts'
import type { MemoryStore } from '@p2pl/memory'

export interface BackendParts {
  readonly id: string
  readonly network: SimulatedNetwork
  readonly store: MemoryStore
  readonly capabilities: FullCapabilities
}

/** The port over a {@link SimulatedNetwork}. */
export function createBackend({ id, network, store, capabilities }: BackendParts): Backend {
  const lifecycle = new Lifecycle()
  const subscriptions = new Subscriptions()
  let onEvent: ((event: BackendEvent) => void) | undefined
  const endpoint: Endpoint = {
    id,
    store,
    subscribed: (topic) => subscriptions.has(topic),
    receive: (topic, message) => subscriptions.receive(topic, message),
    event: (event) => onEvent?.(event)
  }
  return {
    name: backendName,
    capabilities,

    async start(options: StartOptions = {}): Promise<void> {
      throwIfAborted('start', options.signal, backendName)
      if (lifecycle.running) return
      onEvent = options.onEvent
      network.join(endpoint)
      store.open()
      lifecycle.start()
    },

    async stop(): Promise<void> {
      if (!lifecycle.running) return
      lifecycle.stop()
      subscriptions.closeAll()
      network.leave(endpoint)
      store.close()
    },

    self(): PeerInfo {
      lifecycle.assert('self')
      return peerInfo(id)
    },

    messages: createMessages(network, endpoint, lifecycle, subscriptions, capabilities.messages.maxMessageBytes),
    blocks: createBlocks(network, endpoint, lifecycle, capabilities.blocks),
    routing: createRouting(network, endpoint, lifecycle)
  }
}
