import type { Peer, PeerInfo } from '@p2pl/core'
import { sleep } from '@p2pl/core/backend'
import { type CommandContext, patienceOf } from './context.ts'

/** How long to wait for a first connection, in milliseconds, unless --timeout is given. */
const patience = 3_000

/** Returns the connections as soon as there is one. */
export async function firstConnections(peer: Peer, { options, signal }: CommandContext): Promise<readonly PeerInfo[]> {
  const first = new AbortController()
  const stop = peer.onEvent(({ type }) => {
    if (type === 'peer:connect') first.abort()
  })
  try {
    const now = await peer.network.connections({ signal })
    if (now.length > 0) return now
    await sleep(patienceOf(options, patience), { signal: AbortSignal.any([signal, first.signal]) }).catch(
      () => undefined
    )
    return await peer.network.connections({ signal })
  } finally {
    stop()
  }
}
