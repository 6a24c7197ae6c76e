import { throwIfAborted } from '@p2pl/core/backend'
import type { Backend, BackendEvent, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { createBlocks } from './blocks.ts'
import type { FullCapabilities } from './capabilities.ts'
import type { Engine, Member } from './engine.ts'
import { backendName, failure } from './errors.ts'
import { peerInfo } from './key.ts'
import { Lifecycle } from './lifecycle.ts'
import { createMessages, Subscriptions } from './messages.ts'
import { createRouting } from './routing.ts'
import { recountHolds } from './store.ts'
import type { MemoryStore } from './store.ts'

export interface BackendParts {
  readonly id: string
  readonly engine: Engine
  readonly store: MemoryStore
  readonly capabilities: FullCapabilities
  /** Called when the backend has stopped. */
  readonly stopped?: (() => void) | undefined
}

/** The port over an {@link Engine}: lifecycle, argument checks and errors; everything that moves is the engine's. */
export function createBackend({ id, engine, store, capabilities, stopped }: BackendParts): Backend {
  const lifecycle = new Lifecycle()
  const subscriptions = new Subscriptions()
  let onEvent: ((event: BackendEvent) => void) | undefined
  const member: Member = {
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
      if (store.user !== undefined)
        throw failure('LOCKED', 'start', `the running participant "${store.user}" uses this store: give each its own`)
      onEvent = options.onEvent
      engine.join(member)
      store.user = id
      recountHolds(store)
      lifecycle.start()
    },

    async stop(): Promise<void> {
      if (!lifecycle.running) return
      lifecycle.stop()
      subscriptions.closeAll()
      engine.leave(member)
      store.user = undefined
      stopped?.()
    },

    self(): PeerInfo {
      lifecycle.assert('self')
      return peerInfo(id)
    },

    messages: createMessages(engine, member, lifecycle, subscriptions, capabilities.messages.maxMessageBytes),
    blocks: createBlocks(engine, member, lifecycle, capabilities.blocks),
    routing: createRouting(engine, member, lifecycle)
  }
}
