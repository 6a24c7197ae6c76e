import type { Backend, PublishResult } from '@p2pl/core/backend'
import { createMemoryNetwork, memory } from '@p2pl/memory'

interface Pair extends Backend {
  /** Publishes as another peer of the same network. */
  publishFromOther(topic: string, payload: Uint8Array): Promise<PublishResult>
  /** How many blocks the peers of the network look for. */
  searching(): number
}

/** Runs in the process of the backend. */
export function pair(): Pair {
  const network = createMemoryNetwork()
  const other = memory({ network, id: 'other' })
  return Object.assign(memory({ network }), {
    publishFromOther: async (topic: string, payload: Uint8Array) => {
      await other.start()
      return (await other.messages?.publish(topic, payload)) as PublishResult
    },
    searching: () => network.searching
  })
}
