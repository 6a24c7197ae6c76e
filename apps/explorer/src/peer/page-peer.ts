import { createPeer, type Peer } from '@p2pl/core'
import { helia, whenFree } from '@p2pl/helia'
import {
  type BalanceView,
  describePeer,
  type EntryPage,
  type EntryQuery,
  type EntryView,
  type GenesisView,
  Ledger,
  LedgerError,
  type NodeListener,
  type PeerView,
  readGenesis,
  type TransferInput,
  type Written
} from '@p2pl/ledger/browser'
import { Reporter } from './reporter.ts'

export interface JoinOptions {
  /** The answer to `GET /v1/genesis`. The page checks that its CID matches. */
  readonly genesis: GenesisView
  /** The `self` entries of `GET /v1/status` from one or several nodes. The page dials their WebSocket addresses. */
  readonly nodes: readonly PeerView[]
  /** Called with the state when the page has joined, and after each change, at most ten times per second. */
  readonly onState: (state: PeerState) => void
  /** Called with the title of another tab that already is this peer. This tab then waits until that one closes. */
  readonly onWait?: ((holder: string | undefined) => void) | undefined
  /** Ends joining, or the wait for another tab. */
  readonly signal?: AbortSignal | undefined
}

/** The ledger as this page has it. */
export interface PeerState {
  /** The account of the page. */
  readonly account: string
  /** The page as the nodes see it on the network. */
  readonly self: readonly PeerView[]
  readonly root: string
  /** The CID of all balances; absent while entries wait to be counted. */
  readonly balances?: string | undefined
  readonly entries: number
  /** These counts cover only counted entries. */
  readonly accepted: number
  readonly rejected: number
  /** Entries that others name but that are not here yet. */
  readonly missing: number
  /** Ids of peers that last reported the same root, and of those that last reported another one. */
  readonly agreeing: readonly string[]
  readonly diverging: readonly string[]
  readonly connected: readonly PeerView[]
}

export interface PagePeer {
  readonly account: string
  state(): Promise<PeerState>
  balances(): Promise<readonly BalanceView[]>
  entries(query?: EntryQuery): Promise<EntryPage>
  entry(cid: string): Promise<EntryView>
  /** Pays from the page's own account. Resolves when the entry is in the page's database. */
  transfer(input: TransferInput): Promise<Written>
  /** Calls the listener for new entries and for their effects on others. Returns a function that stops it. */
  listen(listener: NodeListener): () => void
  /** Dials a node that is new to the page, or that came back at other addresses, and keeps the connection. */
  connect(node: PeerView): Promise<void>
  stop(): Promise<void>
}

export async function joinAsPage(options: JoinOptions): Promise<PagePeer> {
  const { nodes, onWait, signal } = options
  const genesis = readGenesis(options.genesis)
  const bootstrap = nodes.flatMap((node) => dialable(node).addresses)
  const dir = `ledger/${genesis.cid.toString()}`
  // One key is one peer, so a second tab waits for the first.
  await whenFree(dir, { signal, onWait })
  let changed = (): void => {}
  const peer = await createPeer({
    // Others reach the page through the nodes that it dials.
    backend: helia({ dir, bootstrap, listen: [] }),
    signal,
    onEvent: () => changed()
  })
  try {
    const { identity } = peer
    const ledger = await Ledger.open({
      peer,
      genesis,
      identity,
      entries: `${dir}/entries`,
      state: `${dir}/state`,
      onChange: () => changed()
    })
    const reporter = new Reporter(async () => options.onState(await stateOf(peer, ledger)))
    changed = () => reporter.changed()
    reporter.changed()
    // Counts what an earlier run of the page has left.
    ledger.follower.caughtUp().then(changed, reportError)
    return pagePeer(peer, ledger, reporter)
  } catch (error) {
    await peer.stop()
    throw error
  }
}

function pagePeer(peer: Peer, ledger: Ledger, reporter: Reporter): PagePeer {
  return {
    account: peer.id,
    state: async () => await stateOf(peer, ledger),
    balances: async () => await ledger.balances(),
    entries: async (query) => await ledger.entries(query),
    entry: async (cid) => await ledger.entry(cid),
    transfer: async (input) => await ledger.transfer(input),
    listen: (listener) => ledger.events.listen(listener),
    connect: async (node) => await peer.network.connect(dialable(node)),
    stop: async () => {
      await reporter.stop()
      await ledger.stop()
      await peer.stop()
    }
  }
}

async function stateOf(peer: Peer, { view, state }: Ledger): Promise<PeerState> {
  const { root, count } = await view.digest()
  const summary = await state.summary()
  const { accepted, rejected } = summary ?? state.counts()
  const { missing, agreeing, diverging } = view.status()
  return {
    account: peer.id,
    self: peer.network.self().map(describePeer),
    root: root.toString(),
    // From the same entries as the root.
    ...(summary?.entries === count ? { balances: summary.balances.toString() } : {}),
    entries: count,
    accepted,
    rejected,
    missing,
    agreeing,
    diverging,
    connected: (await peer.network.connections()).map(describePeer)
  }
}

/** The addresses that a page can dial. */
function dialable(node: PeerView): PeerView {
  const addresses = node.addresses.filter((address) => /\/wss?(\/|$)/.test(address))
  if (addresses.length > 0) return { ...node, addresses }
  throw new LedgerError(
    'INVALID_ARGUMENT',
    `the node ${node.id} has no WebSocket address, and a page can dial no other: start it with --listen /ip4/127.0.0.1/tcp/0 /ip4/127.0.0.1/tcp/0/ws`
  )
}
