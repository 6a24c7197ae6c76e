export { helia } from './helia.ts'
export type { HeliaEngine, HeliaNode } from './helia.ts'
export type {
  ConnectionOptions,
  GossipOptions,
  HeliaOptions,
  IceServer,
  Passthrough,
  RelayOptions
} from './options/types.ts'
export { whenFree, type WhenFreeOptions } from '@p2pl/embedded'
export type { Profile } from '@p2pl/embedded'
