export { classify, failure, notRunning, RpcStatusError, stopped } from '@p2pl/kubo/rpc'

export const backendName = 'ipfs-rpc'
