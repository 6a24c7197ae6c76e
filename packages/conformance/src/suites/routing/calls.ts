import type { Capabilities, PeerInfo, RoutingCapabilities } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { check } from '../../kit/check.ts'
import type { Network } from '../../kit/network.ts'
import { idsOf, put, routingOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { TestRun } from '../../kit/test.ts'
import { collect, poll } from '../../kit/time.ts'

export const has =
  (...features: (keyof RoutingCapabilities)[]) =>
  (c: Capabilities): boolean =>
    c.routing !== undefined && features.every((feature) => c.routing?.[feature] !== 'none')

/** The CID of a block that is stored at each of the peers, for engines that provide only blocks that they have. */
export async function stored(t: TestRun, network: Network, indexes: readonly number[]): Promise<CID> {
  const block = await rawBlock()
  for (const index of indexes) if (t.capabilities.blocks !== undefined) await put(network.at(index), block)
  return block.cid
}

export async function provide(t: TestRun, network: Network, index: number, cid: CID): Promise<void> {
  await t.within('provide resolves', routingOf(network.at(index)).provide(cid, { signal: t.signal }))
}

export async function providers(
  t: TestRun,
  network: Network,
  index: number,
  cid: CID,
  limit?: number
): Promise<PeerInfo[]> {
  return await t.within(
    'findProviders ends',
    collect(() => routingOf(network.at(index)).findProviders(cid, { limit, signal: t.signal }))
  )
}

/** Asks until all wanted backends are found, since a record may need a moment to reach the asked peers. */
export async function providersSoon(
  t: TestRun,
  network: Network,
  index: number,
  cid: CID,
  wanted: readonly number[]
): Promise<PeerInfo[]> {
  // A backend on several networks may be listed once for each.
  const peers = wanted.map((one) => idsOf(network.at(one)))
  let found: PeerInfo[] = []
  const complete = (): boolean => peers.every((ids) => found.some(({ id }) => ids.includes(id)))
  await poll(t.remaining() / 2, async () => {
    found = await providers(t, network, index, cid)
    return complete() ? found : undefined
  })
  check(complete(), `findProviders finds ${wanted.length} that provided`, found)
  return found
}
