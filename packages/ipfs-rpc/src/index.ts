export { ipfsRpc, type IpfsRpcBackend } from './backend.ts'
export type { IpfsRpcOptions } from './options.ts'
export type { IpfsRpcStats } from './stats.ts'
