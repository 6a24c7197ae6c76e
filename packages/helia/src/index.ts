export { helia } from './backend.ts'
export type { HeliaNode } from './backend.ts'
export type {
  ConnectionOptions,
  GossipOptions,
  HeliaOptions,
  IceServer,
  Passthrough,
  Profile,
  RelayOptions
} from './options.ts'
