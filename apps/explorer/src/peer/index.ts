import type { JoinOptions, PagePeer } from './page-peer.ts'

export type { JoinOptions, PagePeer, PeerState } from './page-peer.ts'

/**
 * Makes this page a peer of the ledger. It verifies every entry itself, and counts by the ledger's own rules. The first
 * call loads the engine's code, so the page itself appears before.
 */
export async function joinLedger(options: JoinOptions): Promise<PagePeer> {
  const { joinAsPage } = await import('./page-peer.ts')
  return await joinAsPage(options)
}
