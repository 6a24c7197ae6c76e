export { ipfsRpc, type IpfsRpcBackend } from './ipfs-rpc.ts'
export type { IpfsRpcOptions } from './options.ts'
export type { IpfsRpcStats } from './stats.ts'
