// The conformance kit inside of a browser page: the test on Node's side runs one test after the other by its number.
import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import type { Backend, Layer, PeerInfo } from '@p2pl/core/backend'
import { helia, type HeliaOptions } from '../../src/index.ts'
import { forgetEachOther } from '../interrupt.ts'
import { fixture } from './fixture.ts'

/** What pages need of Node's side: a relay to be reached through, and somebody who keeps provider records. */
interface Helpers {
  readonly relay: string
  readonly records: PeerInfo
}

declare const startHelpers: () => Promise<Helpers>
declare const stopHelpers: (relay: string) => Promise<void>

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
  const open = (index: number): ReturnType<typeof helia> => helia({ ...options(index), bootstrap: [relay] })
  const backends = Array.from({ length: count }, (_, index) => open(index))
  const link = async (): Promise<void> => {
    for (const backend of backends) {
      await addressOf(backend)
      await backend.routing.connect(records)
    }
    for (const [i, backend] of backends.entries())
      for (const earlier of backends.slice(0, i)) await backend.routing.connect(earlier.self())
  }
  return {
    backends,
    link,
    cut: async (index) => {
      await forgetEachOther(backends, index)
      // The kit links them again.
      return async () => {}
    },
    reopen: (index) => Promise.resolve(open(index)),
    dispose: () => stopHelpers(relay)
  }
}

/** A page has an address once the relay has given it a slot. */
async function addressOf(backend: Backend, signal?: AbortSignal): Promise<void> {
  const aborted = (): boolean => signal?.aborted === true
  while (!aborted() && backend.self().addresses.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** The kit takes for granted that who has started can be reached. */
const reachable: Layer = (backend) => ({
  name: backend.name,
  capabilities: backend.capabilities,
  messages: backend.messages,
  blocks: backend.blocks,
  routing: backend.routing,
  start: async (options) => {
    await backend.start(options)
    await addressOf(backend, options?.signal)
  },
  stop: (options) => backend.stop(options),
  self: () => backend.self()
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
