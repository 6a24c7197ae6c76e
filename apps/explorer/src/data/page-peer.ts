import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { GenesisView, PeerView, StatusView } from '@p2pl/ledger'
import { joinLedger, type PagePeer, type PeerState } from '../peer/index.ts'
import { getJson } from './api.ts'
import { type NodeState, nodes } from './nodes.ts'
import { watchedNode } from './watched.ts'

export type PageState =
  | { readonly state: 'apart' | 'joining' }
  /** Another tab is this peer. This tab waits until that one closes. */
  | { readonly state: 'waiting'; readonly holder: string | undefined }
  | { readonly state: 'joined'; readonly peer: PeerState }
  | { readonly state: 'failed'; readonly reason: string }

export const pageState: Signal<PageState> = signal({ state: 'apart' })

/** What the picture shows of a peer: for a node everything that it reports, for the page what it has found itself. */
export type ShownPeer = Pick<NodeState, 'name' | 'life'> & {
  readonly status?: Pick<StatusView, 'account' | 'root' | 'entries' | 'missing' | 'self' | 'connected'> | undefined
}

export const pageName = 'this page'

/** All nodes, and this page if it is a peer. */
export const shown: ReadonlySignal<readonly ShownPeer[]> = computed(() => {
  if (pageState.value.state !== 'joined') return nodes.value
  return [...nodes.value, { name: pageName, life: 'up', status: pageState.value.peer }]
})

let joined: PagePeer | undefined
/** Nodes that the page has dialled, by their addresses: a node that was killed comes back at different addresses. */
const dialled = new Set<string>()

/** Makes this page a peer of the ledger, which verifies every entry itself. */
export async function join(): Promise<void> {
  const node = watchedNode()
  if (node === undefined) return
  pageState.value = { state: 'joining' }
  try {
    const known = nodes.peek().flatMap(dialableOf)
    for (const one of known) dialled.add(one.addresses.join())
    joined = await joinLedger({
      genesis: await getJson<GenesisView>(`${node.path}/genesis`),
      nodes: known,
      onState: (peer) => (pageState.value = { state: 'joined', peer }),
      onWait: (holder) => (pageState.value = { state: 'waiting', holder })
    })
    nodes.subscribe(dialNew)
  } catch (error) {
    pageState.value = { state: 'failed', reason: (error as Error).message }
  }
}

function dialNew(all: readonly NodeState[]): void {
  for (const one of all.flatMap(dialableOf)) {
    const addresses = one.addresses.join()
    if (dialled.has(addresses)) continue
    dialled.add(addresses)
    // It may end again at once. Then its next addresses are dialled.
    joined?.connect(one).catch(() => undefined)
  }
}

function dialableOf({ life, status }: NodeState): PeerView[] {
  return life === 'up' ? (status?.self ?? []).filter(({ network }) => network === 'libp2p') : []
}
