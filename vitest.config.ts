import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Hundreds of processes load the same modules, the engines that tests start among them: each module is compiled once.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

// Not `module`: that is for bundlers, and its files may be nothing that Node can load.
const conditions = ['@p2pl/source', 'node', 'import', 'default']

const everywhere = '{packages,apps,examples,tooling}/*/test/**/*.test.ts'
/**
 * Rooms whose tests hardly start an engine: their files share workers, which load each module once. So a helper of theirs
 * registers hooks when it is called, not when it is loaded.
 */
const inProcess =
  'packages/{conformance,core,embedded,layers,memory,replication,simulator,sync,unixfs}/test/**/*.test.ts'
/** Written for Node's own runner: `tooling/nats/test` runs them in an empty folder. */
const ofNode = 'examples/adapter-nats/test/**'

export default defineConfig(({ mode }) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    reporters: ['default', './tooling/vitest/src/reporter.ts'],
    // Real engines need real seconds, many of them where the machine is busy; a test that hangs still ends.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 100_000 } },
    pool: 'forks',
    // Half of the time, a test waits for engines in other processes.
    maxWorkers: 2 * availableParallelism(),
    execArgv: ['-C', '@p2pl/source'],
    // All seeds of the properties that take minutes: `npm run test:long`.
    env: mode === 'long' ? { P2PL_LONG: '1' } : {},
    projects: [
      { extends: true, test: { name: 'apart', include: [everywhere], exclude: [inProcess, ofNode] } },
      { extends: true, test: { name: 'together', include: [inProcess], isolate: false } }
    ]
  }
}))
