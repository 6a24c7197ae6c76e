import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import { type Backend, compose, type Layer, split } from '@p2pl/core/backend'
import { createMemoryStore, memory, MemoryNetwork } from '@p2pl/memory'
import { seededRandom } from '@p2pl/tooling-vitest'
import { describe, it } from 'vitest'
import {
  adaptiveTimeout,
  cache,
  chaos,
  circuitBreaker,
  concurrency,
  countingSink,
  createRetryBudget,
  hedge,
  log,
  metrics,
  prometheusSink,
  retry,
  timeout
} from '../src/index.ts'
import { tracing } from '../src/tracing.ts'

// The memory backend keeps every promise: what fails here, a layer has broken.
const limits = {
  get: 60_000,
  put: 60_000,
  pin: 60_000,
  store: 60_000,
  publish: 60_000,
  subscribe: 60_000,
  routing: 60_000
}
const wraps: Readonly<Record<string, Layer>> = {
  retry: retry({ baseDelay: 1 }),
  timeout: timeout(limits),
  // Hedges from the second read on, at once.
  hedge: hedge({ percentile: 0, floor: 0, minSamples: 1, budget: createRetryBudget({ share: 1 }) }),
  'an adaptive timeout': adaptiveTimeout({ floor: 60_000, ceiling: 60_000 }),
  'a circuit breaker': circuitBreaker(),
  // Every call waits for another one.
  concurrency: concurrency({ limit: 2 }),
  cache: cache({ maxBytes: 1024 * 1024 }),
  metrics: metrics(prometheusSink()),
  log: log({ write: () => undefined }),
  tracing: tracing(),
  'a chaos that does no harm': chaos({ random: seededRandom(1) }),
  'all of them': <B extends Backend>(backend: B) =>
    compose(
      backend,
      chaos({ random: seededRandom(1), delay: 2 }),
      timeout(limits),
      circuitBreaker(),
      concurrency(),
      hedge(),
      retry({ baseDelay: 1 }),
      cache(),
      tracing(),
      log({ write: () => undefined }),
      metrics(countingSink())
    )
}

for (const [name, wrap] of Object.entries(wraps)) {
  conformance({ describe, it }, { name: `memory in ${name}`, create, wrap })
}

conformance({ describe, it }, { name: 'a split of two memories', create: createSplit, parts: ['memory'] })

async function createSplit(count: number): Promise<ConformanceNetwork> {
  const [messages, data] = [await create(count), await create(count)]
  const backends = messages.backends.map((backend, i) => split({ messages: backend, data: data.backends[i]! }))
  return {
    backends,
    cut: async (index) => {
      const heal = [await messages.cut!(index), await data.cut!(index)]
      return async () => void (await Promise.all(heal.map(async (each) => await each())))
    }
  }
}

let networks = 0

async function create(count: number): Promise<ConformanceNetwork> {
  const network = new MemoryNetwork(`net-${networks}`)
  const prefix = `network-${++networks}`
  const stores = Array.from({ length: count }, createMemoryStore)
  const ids = stores.map((_, index) => `${prefix}-peer-${index}`)
  return {
    backends: stores.map((store, index) => memory({ network, store, id: ids[index] })),
    reopen: async (index) => memory({ network, store: stores[index], id: ids[index] }),
    cut: async (index) => {
      network.interrupt(ids[index] ?? '')
      return async () => network.resume(ids[index] ?? '')
    }
  }
}
