import { defineConfig } from 'vitest/config'

const conditions = ['@p2pl/source', 'module', 'node', 'import', 'default']

export default defineConfig(({ mode }) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['{packages,apps,examples,tooling}/*/test/**/*.test.ts'],
    reporters: ['default', './tooling/vitest/src/reporter.ts'],
    // Real engines need real seconds; a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['-C', '@p2pl/source'],
    // All seeds of the properties that take minutes: `npm run test:long`.
    env: mode === 'long' ? { P2PL_LONG: '1' } : {}
  }
}))
