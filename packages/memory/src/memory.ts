import type { Backend } from '@p2pl/core/backend'
import { createBackend } from './backend.ts'
import { capabilities } from './capabilities.ts'
import { failure } from './errors.ts'
import { MemoryNetwork } from './network.ts'
import { createMemoryStore } from './store.ts'
import type { MemoryStore } from './store.ts'

export interface MemoryOptions {
  /** Whom it can reach: a network object, or the name of one for the whole process. Default: the process network `default`. */
  readonly network?: MemoryNetwork | string | undefined
  /** Engine-level id, unique among those who run on the network; up to 256 characters. Default: `memory-1`, `memory-2` … */
  readonly id?: string | undefined
  /** Content that outlives `stop`. Default: its own, emptied by `stop`. */
  readonly store?: MemoryStore | undefined
  /** Largest payload of a message, bytes. Default 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Largest block, bytes; at least 1 MiB + 64 KiB. Default 2 MiB. */
  readonly maxBlockBytes?: number | undefined
}

const optionNames: ReadonlySet<string> = new Set<keyof MemoryOptions>([
  'network',
  'id',
  'store',
  'maxMessageBytes',
  'maxBlockBytes'
])
const smallestBlockLimit = 1_048_576 + 65_536
/** Networks by name, so that configuration files can tell them apart. Made on first use. */
const processNetworks = new Map<string, MemoryNetwork>()

/** A backend in this process: everybody on the same network reaches everybody at once. */
export function memory(options: MemoryOptions = {}): Backend {
  const unknown = Object.keys(options).find((name) => !optionNames.has(name))
  if (unknown !== undefined)
    throw failure(
      'INVALID_ARGUMENT',
      'memory',
      `there is no option ${unknown.slice(0, 80)}; there are ${[...optionNames].join(', ')}`
    )
  const network = networkOf(options.network ?? 'default')
  const id = options.id ?? network.nextId()
  if (typeof id !== 'string' || id === '' || id.length > 256)
    throw failure('INVALID_ARGUMENT', 'memory', 'id is a string of 1 to 256 characters')
  const { maxMessageBytes = 1_048_576, maxBlockBytes = 2_097_152 } = options
  checkLimit('maxMessageBytes', maxMessageBytes, 1)
  checkLimit('maxBlockBytes', maxBlockBytes, smallestBlockLimit)
  const store = options.store ?? createMemoryStore()
  return createBackend({
    id,
    network,
    store,
    capabilities: capabilities({ maxMessageBytes, maxBlockBytes }),
    stopped: () => {
      // No other backend has it: its content is released with this one.
      if (options.store === undefined) store.clear()
    }
  })
}

function networkOf(network: MemoryNetwork | string): MemoryNetwork {
  if (typeof network !== 'string') return network
  const known = processNetworks.get(network) ?? new MemoryNetwork()
  processNetworks.set(network, known)
  return known
}

function checkLimit(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw failure('INVALID_ARGUMENT', 'memory', `${name} is a whole number of bytes from ${least}, not ${value}`)
}
