import { conformance } from '@p2pl/conformance'
import { describe, it } from 'vitest' // or node:test, or mocha's globals
import { startBroker } from '../src/broker.ts'
import { backend, capabilities } from '../src/index.ts'

conformance(
  { describe, it },
  {
    name: 'a plain TCP broker',
    capabilities,
    create: async (count) => {
      const broker = await startBroker()
      const backends = Array.from({ length: count }, () => backend({ port: broker.port }))
      return {
        backends,
        cut: async (index) => {
          const unblock = broker.block(backends[index]?.self()[0]?.id ?? '')
          return async () => unblock()
        },
        dispose: async () => await broker.close()
      }
    }
  }
)
