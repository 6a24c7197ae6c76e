import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset([
  'src/index.ts',
  'src/failover.ts',
  'src/race.ts',
  'src/mirror.ts',
  'src/bridge.ts',
  'src/retry.ts',
  'src/timeout.ts',
  'src/adaptive-timeout.ts',
  'src/hedge.ts',
  'src/circuit-breaker.ts',
  'src/concurrency.ts',
  'src/retry-budget.ts',
  'src/cache.ts',
  'src/metrics.ts',
  'src/prometheus.ts',
  'src/log.ts',
  'src/tracing.ts',
  'src/chaos.ts'
])

export default config
