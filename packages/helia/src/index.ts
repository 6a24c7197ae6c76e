export { helia } from './backend.ts'
export type { HeliaNode } from './backend.ts'
export type { ConnectionOptions, GossipOptions, HeliaOptions, Passthrough, Profile } from './options.ts'
