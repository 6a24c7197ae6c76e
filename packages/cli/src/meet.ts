import { isP2plError, type Peer, P2plError, type PeerAddress } from '@p2pl/core'
import { sleep } from '@p2pl/core/backend'
import type { CommandContext } from './context.ts'
import type { RunningPeers } from './running.ts'
import { describeError } from './tools/index.ts'

/** How long a command waits for the given connections before it goes on without them, in milliseconds. */
const patience = 5_000

/**
 * Connects to the peers of `--connect`, and to the peers of this user's other processes. A peer that is away now is dialled
 * again for as long as this peer runs.
 */
export async function meet(
  { options, output, signal }: CommandContext,
  peer: Peer,
  running: RunningPeers
): Promise<void> {
  const own = new Set(peer.network.self().map(({ network, id }) => `${network}:${id}`))
  const networks = new Set(peer.network.self().map(({ network }) => network))
  const named = (options.connect ?? []).map(parseAddress)
  const others = (await running.list())
    .map(({ self }) => self.filter(({ network, id }) => networks.has(network) && !own.has(`${network}:${id}`)))
    .filter((self) => self.length > 0)
  const dials = [
    ...named.map(async (address) => {
      await peer.network.connect(address, { signal }).catch((error: unknown) => {
        if (isP2plError(error, 'INVALID_ARGUMENT') || isP2plError(error, 'UNSUPPORTED')) throw error
        if (!signal.aborted && !isP2plError(error, 'NOT_RUNNING'))
          output.note(`warning: ${describeError(error).message}`)
      })
    }),
    // Such a peer may end at any moment, so it is not a failure if it does not answer.
    ...others.map(
      async (self) => await peer.network.connect(self, { signal, timeout: patience }).catch(() => undefined)
    )
  ]
  if (dials.length === 0) return
  const enough = new AbortController()
  await Promise.race([
    Promise.all(dials),
    sleep(patience, { signal: AbortSignal.any([signal, enough.signal]) })
  ]).finally(() => enough.abort())
}

/** An address in the engine's form, or the `self` of `p2pl peers --json`. */
export function parseAddress(text: string): PeerAddress {
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.parse(text) as PeerAddress
  } catch {
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      message: '--connect is not valid JSON: give an address, or "self" of "p2pl peers --json"'
    })
  }
}
