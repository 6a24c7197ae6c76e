import type { Libp2pOptions } from 'libp2p'

/** The parts of the node that depend on the runtime. */
export type Parts = Pick<
  Libp2pOptions,
  'transports' | 'connectionMonitor' | 'connectionProtector' | 'peerDiscovery' | 'services'
> & {
  /** Which of its addresses the node tells others. */
  readonly announceFilter?: NonNullable<Libp2pOptions['addresses']>['announceFilter']
}
