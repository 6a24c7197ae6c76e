import type { JoinOptions, PagePeer } from './page-peer.ts'

export type { JoinOptions, PagePeer, PeerState } from './page-peer.ts'

/**
 * Makes this page a peer of the ledger. It verifies every entry itself, and counts by the ledger's own rules. The code of the engine
 * is loaded by the first call, so the page is there before it.
 */
export async function joinLedger(options: JoinOptions): Promise<PagePeer> {
  const { joinAsPage } = await import('./page-peer.ts')
  return await joinAsPage(options)
}
