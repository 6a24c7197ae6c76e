import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset([
  'src/index.ts',
  'src/retry.ts',
  'src/timeout.ts',
  'src/metrics.ts',
  'src/chaos.ts'
])

export default config
