// The conformance kit inside of a browser page: the test on Node's side runs one test after the other by its number.
import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import type { Backend, Layer, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { helia, type HeliaNode, type HeliaOptions } from '../../src/index.ts'
import { cut } from '../cut.ts'
import { selfOf } from '../self.ts'
import { fixture } from './fixture.ts'

/** What pages need of Node's side: a relay to be reached through, and a peer that keeps provider records. */
interface Helpers {
  readonly relay: PeerInfo
  readonly records: PeerInfo
}

declare const startHelpers: () => Promise<Helpers>
declare const stopHelpers: (relayId: string) => Promise<void>

const tests: (() => Promise<void>)[] = []
let networks = 0

const runner = {
  describe: (_name: string, body: () => void) => {
    body()
  },
  it: (_name: string, body: () => Promise<void>) => void tests.push(body),
  onUnhandledRejection: (listener: (reason: unknown) => void) => {
    const heard = (event: PromiseRejectionEvent): void => listener(event.reason)
    addEventListener('unhandledrejection', heard)
    return () => removeEventListener('unhandledrejection', heard)
  }
}

/** Pages' nodes that know one relay, and by it find each other. */
async function network(count: number, options: (index: number) => HeliaOptions): Promise<ConformanceNetwork> {
  const { relay, records } = await startHelpers()
  const open = (index: number): HeliaNode => helia({ ...options(index), bootstrap: relay.addresses })
  const backends = Array.from({ length: count }, (_, index) => open(index))
  const link = async (): Promise<void> => {
    for (const backend of backends) {
      await reach(backend, relay)
      await backend.routing.connect(records)
    }
    for (const [i, backend] of backends.entries())
      for (const earlier of backends.slice(0, i)) await backend.routing.connect(selfOf(earlier))
  }
  return {
    backends,
    link,
    cut: async (index) => {
      const heal = cut(backends[index] as HeliaNode)
      return async () => heal()
    },
    reopen: async (index) => open(index),
    dispose: () => stopHelpers(relay.id)
  }
}

/** Connects to the relay, as core does to the peers that the options name; the page has an address once it has a slot there. */
async function reach(backend: Backend, relay: PeerInfo, signal?: AbortSignal): Promise<void> {
  await backend.routing?.connect(relay, { signal })
  const aborted = (): boolean => signal?.aborted === true
  while (!aborted() && selfOf(backend).addresses.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** The kit expects that a backend that has started can be reached. */
const reachable: Layer = (backend) =>
  Object.assign(Object.create(backend) as typeof backend, {
    start: async (options?: StartOptions) => {
      await backend.start(options)
      const [relay] = backend.routing?.bootstrap ?? []
      if (relay !== undefined) await reach(backend, relay, options?.signal)
    }
  })

Object.assign(globalThis, {
  page: {
    load: () => {
      conformance(runner, {
        ...fixture((count) => {
          const own = ++networks
          return network(count, (index) => ({ dir: `${own}-${index}` }))
        }),
        wrap: reachable
      })
      return tests.length
    },
    /** What went wrong with the test, if anything did. */
    run: async (index: number): Promise<string | undefined> => {
      try {
        await tests[index]?.()
        return undefined
      } catch (error) {
        return error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
      }
    }
  }
})
