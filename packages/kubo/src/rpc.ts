// The door for packages that make calls of the RPC API themselves.
export { classify, failure, isFateUnknown, notRunning, RpcStatusError } from './errors.ts'
export { isMultiaddr, isPeerId, readableAddresses } from './identity.ts'
export type { Answer } from './rpc/answer.ts'
export { parseJson } from './rpc/lines.ts'
export type { Body, CallKind, Lane, Request, Transport } from './rpc/transport.ts'
