import { throwIfAborted } from '@p2pl/core/backend'
import type { Backend, BackendEvent, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { createBlocks } from './blocks.ts'
import type { FullCapabilities } from './capabilities.ts'
import { backendName } from './errors.ts'
import { peerInfo } from './key.ts'
import { Lifecycle } from './lifecycle.ts'
import { createMessages, Subscriptions } from './messages.ts'
import type { Endpoint, MemoryNetwork } from './network.ts'
import { createRouting } from './routing.ts'
import type { MemoryStore } from './store.ts'

export interface BackendParts {
  readonly id: string
  readonly network: MemoryNetwork
  readonly store: MemoryStore
  readonly capabilities: FullCapabilities
  /** Called when the backend has stopped. */
  readonly stopped?: (() => void) | undefined
}

/** The port over a {@link MemoryNetwork}: lifecycle, argument checks and errors; what moves bytes is the network. */
export function createBackend({ id, network, store, capabilities, stopped }: BackendParts): Backend {
  const lifecycle = new Lifecycle()
  const subscriptions = new Subscriptions()
  let onEvent: ((event: BackendEvent) => void) | undefined
  const endpoint: Endpoint = {
    id,
    store,
    subscribed: (topic) => subscriptions.has(topic),
    receive: (topic, message) => subscriptions.receive(topic, message),
    missed: () => {
      subscriptions.missed()
    },
    event: (event) => onEvent?.(event)
  }
  return {
    name: backendName,
    capabilities,

    async start(options: StartOptions = {}): Promise<void> {
      throwIfAborted('start', options.signal, backendName)
      if (lifecycle.running) return
      onEvent = options.onEvent
      store.open()
      try {
        network.join(endpoint)
      } catch (error) {
        store.close()
        throw error
      }
      lifecycle.start()
    },

    async stop(): Promise<void> {
      if (!lifecycle.running) return
      lifecycle.stop()
      subscriptions.closeAll()
      network.leave(endpoint)
      store.close()
      stopped?.()
    },

    self(): PeerInfo {
      lifecycle.assert('self')
      return peerInfo(id)
    },

    messages: createMessages(network, id, lifecycle, subscriptions, capabilities.messages.maxMessageBytes),
    blocks: createBlocks(network, endpoint, lifecycle, capabilities.blocks),
    routing: createRouting(network, endpoint, lifecycle)
  }
}
