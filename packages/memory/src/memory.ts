import { checkKeys, checkNumber, defineBackend, P2plError } from '@p2pl/core/backend'
import type { DefinedBackend } from '@p2pl/core/backend'
import { peerInfo } from './address.ts'
import { blockHooks } from './blocks.ts'
import { capabilities } from './capabilities.ts'
import { messageHooks } from './messages.ts'
import { MemoryNetwork } from './network.ts'
import type { Endpoint } from './network.ts'
import { routingHooks } from './routing.ts'
import { createMemoryStore } from './store.ts'
import type { MemoryStore } from './store.ts'

export interface MemoryOptions {
  /** The reachable peers: a network object, or the name of a network in this process. Default: the process network `default`. */
  readonly network?: MemoryNetwork | string | undefined
  /** Engine-level id, unique among the peers that run on the network; 1 to 256 characters. Default: `memory-1`, `memory-2` … */
  readonly id?: string | undefined
  /** Content that outlives `stop`. Default: the backend's own store, which `stop` empties. */
  readonly store?: MemoryStore | undefined
  /** Largest payload of a message, in bytes. Default 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Largest block, in bytes; at least 1 MiB + 64 KiB. Default 2 MiB. */
  readonly maxBlockBytes?: number | undefined
}

const optionNames: readonly (keyof MemoryOptions)[] = ['network', 'id', 'store', 'maxMessageBytes', 'maxBlockBytes']
const mebibyte = 1_048_576
/** Networks by name, so that configuration files can refer to them. Created on first use. */
const processNetworks = new Map<string, MemoryNetwork>()

/** A backend within this process: each peer of a network reaches every other one at once. Throws `INVALID_ARGUMENT`. */
export function memory(options: MemoryOptions = {}): DefinedBackend<MemoryNetwork> {
  checkKeys('memory', options, optionNames)
  const network = networkOf(options.network ?? 'default')
  const { id = network.nextId(), store = createMemoryStore() } = options
  if (typeof id !== 'string' || id === '' || id.length > 256)
    throw new P2plError({ code: 'INVALID_ARGUMENT', message: 'memory: id must be a string of 1 to 256 characters' })
  const bytes = (name: 'maxMessageBytes' | 'maxBlockBytes', min: number, otherwise: number): number =>
    checkNumber('memory', name, options[name], { min, integer: true }, otherwise)
  const maxMessageBytes = bytes('maxMessageBytes', 1, mebibyte)
  const maxBlockBytes = bytes('maxBlockBytes', mebibyte + 65_536, 2 * mebibyte)

  return defineBackend({
    name: 'memory',
    network: network.name,
    capabilities: capabilities({ maxMessageBytes, maxBlockBytes }),
    open: async ({ report }) => {
      const endpoint: Endpoint = { id, store, topics: new Map(), report }
      store.open()
      try {
        network.join(endpoint)
      } catch (error) {
        store.close()
        throw error
      }
      return {
        self: () => peerInfo(network.name, id),
        messages: messageHooks(network, endpoint),
        blocks: blockHooks(network, endpoint, maxBlockBytes),
        routing: routingHooks(network, endpoint),
        engine: network,
        close: async () => {
          network.leave(endpoint)
          store.close()
          // No other backend has the store, so its content is released together with this backend.
          if (options.store === undefined) store.clear()
        }
      }
    }
  })
}

function networkOf(network: MemoryNetwork | string): MemoryNetwork {
  if (typeof network !== 'string') return network
  const known =
    processNetworks.get(network) ?? new MemoryNetwork(network === 'default' ? 'memory' : `memory:${network}`)
  processNetworks.set(network, known)
  return known
}
