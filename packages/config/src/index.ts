export type { Placement } from './adapters.ts'
export { createBackends, legsOf } from './create.ts'
export type { Backends } from './create.ts'
export { loadConfig } from './load.ts'
export type { LoadOptions } from './load.ts'
export type { LegControl } from '@p2pl/layers'
export { defineConfig } from './types.ts'
export type {
  BackendChoice,
  BackendInput,
  BackendSetting,
  Config,
  ConfigInput,
  TimeoutConfig,
  RetryConfig
} from './types.ts'
