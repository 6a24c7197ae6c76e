// The entry point for pages that are peers of a ledger. Nothing behind it needs Node.
export { LedgerError, isLedgerError } from './errors.ts'
export { Ledger, type LedgerOptions } from './node/ledger.ts'
export type { NodeEvent, NodeListener } from './node/node-events.ts'
export type { GenesisBlock } from './rules/genesis.ts'
export { describePeer, readGenesis } from './service/describe.ts'
export type * from './service/service.ts'
export type * from './service/views.ts'
