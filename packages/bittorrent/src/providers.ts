import type { PeerInfo } from '@p2pl/core/backend'
import type { Queries } from './overlay/exchange/queries.ts'
import type { Key } from './overlay/keys.ts'
import type { Dialler } from './overlay/links/dialler.ts'
import type { Link } from './overlay/links/link.ts'
import type { Links } from './overlay/links/links.ts'
import type { Rendezvous } from './overlay/rendezvous/rendezvous.ts'
import { peerInfoOf } from './peers.ts'
import type { Address } from './tools/address.ts'

const dialTimeout = 8_000

export interface ProviderSearch {
  readonly rendezvous: Rendezvous
  readonly dialler: Dialler
  readonly links: Links
  readonly queries: Queries
}

/**
 * Yields peers that provide the content. Records have addresses without ids, may be old, and anybody may have put them
 * there. So each address is dialled and asked, and each yielded peer has an id and provides the content.
 */
export async function* searchProviders(
  { rendezvous, dialler, links, queries }: ProviderSearch,
  key: Key,
  limit: number,
  signal: AbortSignal
): AsyncGenerator<PeerInfo, void, undefined> {
  const seen = new Set<string>()
  const found: PeerInfo[] = []
  const checks: Promise<void>[] = []
  let exhausted = false
  let wake = (): void => {}
  const check = async (address: Address): Promise<void> => {
    const link = links.at(address) ?? (await dialOrNone(dialler, address, signal))
    if (link === undefined || seen.has(link.id)) return
    seen.add(link.id)
    if (await queries.provides(link, key, signal)) found.push(peerInfoOf(link))
  }
  const search = rendezvous.lookup(
    key,
    (address) => {
      if (!dialler.isOwn(address)) checks.push(check(address).finally(() => wake()))
    },
    signal
  )
  void search
    .then(() => Promise.allSettled(checks))
    .catch(() => {})
    .finally(() => {
      exhausted = true
      wake()
    })
  for (let given = 0; given < limit;) {
    const next = found.shift()
    if (next !== undefined) {
      given++
      yield next
    } else if (exhausted) break
    else await new Promise<void>((resolve) => (wake = resolve))
  }
  signal.throwIfAborted()
}

export async function dialOrNone(dialler: Dialler, address: Address, signal: AbortSignal): Promise<Link | undefined> {
  try {
    return await dialler.dial(address, AbortSignal.any([signal, AbortSignal.timeout(dialTimeout)]))
  } catch {
    return undefined
  }
}
