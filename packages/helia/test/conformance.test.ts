import { join } from 'node:path'
import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import { compose, retry, timeout } from '@p2pl/layers'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, it } from 'vitest'
import { helia, type HeliaOptions } from '../src/index.ts'
import { forgetEachOther } from './interrupt.ts'
import { selfOf } from './self.ts'

const runner = {
  describe,
  it,
  onUnhandledRejection: (listener: (reason: unknown) => void) => {
    process.on('unhandledRejection', listener)
    return () => void process.off('unhandledRejection', listener)
  }
}

const root = temporaryFolder('p2pl-helia-kit-')
let networks = 0

function network(count: number, options: (index: number) => HeliaOptions): ConformanceNetwork {
  const backends = Array.from({ length: count }, (_, i) => helia(options(i)))
  const link = async (): Promise<void> => {
    for (const [i, backend] of backends.entries())
      for (const earlier of backends.slice(0, i)) await backend.routing.connect(selfOf(earlier))
  }
  return {
    backends,
    link,
    cut: async (index) => {
      await forgetEachOther(backends, index)
      // The kit links them again.
      return async () => {}
    },
    reopen: (index) => Promise.resolve(helia(options(index))),
    dispose: async () => {}
  }
}

conformance(runner, {
  name: 'helia in memory',
  create: (count) => Promise.resolve(network(count, () => ({}))),
  capabilities: helia().capabilities,
  followsHints: true
})

const persistent = { dir: join(root, 'for-capabilities') }

conformance(runner, {
  name: 'helia in a folder, under retry and timeout',
  create: (count) => {
    const own = join(root, String(++networks))
    return Promise.resolve(network(count, (index) => ({ dir: join(own, String(index)) })))
  },
  wrap: (backend) => compose(backend, retry(), timeout({ get: 60_000, routing: 30_000 })),
  capabilities: compose(helia(persistent), retry(), timeout({ get: 60_000, routing: 30_000 })).capabilities,
  followsHints: true
})
