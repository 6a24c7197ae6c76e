import type { Libp2pOptions } from 'libp2p'

/** What the node is made of in one runtime and not in the other. */
export type Parts = Pick<
  Libp2pOptions,
  'transports' | 'connectionMonitor' | 'connectionProtector' | 'peerDiscovery' | 'services'
> & {
  /** Which of its addresses the node tells to others. */
  readonly announceFilter?: NonNullable<Libp2pOptions['addresses']>['announceFilter']
}
