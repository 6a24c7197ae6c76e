import { type EngineEvent, isP2plError, type PeerInfo, sleep } from '@p2pl/core/backend'
import type { Kubo } from '@p2pl/kubo'
import { type CallKind, isMultiaddr, isPeerId, readableAddresses } from '@p2pl/kubo/rpc'
import type { RpcClient } from '../rpc/client.ts'
import { withPeerId } from './address.ts'

const dialling: CallKind = { operation: 'routing.connect', lane: 'network', timeout: 15_000 }
const disconnecting: CallKind = { operation: 'routing.disconnect', lane: 'network', timeout: 15_000 }
const listing: CallKind = { operation: 'routing.connections', lane: 'network', timeout: 15_000 }
const maxListBytes = 4 * 1024 * 1024
/** The errors of a daemon when two dials crossed. */
const crossed = /clientHelloMsg|simultaneous/i
const crossedAttempts = 4
const crossedPause = 200
const maxHintDials = 8
const maxHints = 4

/**
 * Direct connections of the daemon. Its calls do not use the library, which parses ids and addresses and rejects a
 * whole answer for one that it does not know.
 */
export class Connections {
  readonly #rpc: RpcClient
  readonly #kubo: Kubo
  readonly #report: (event: EngineEvent) => void
  readonly #unwatch: () => void
  readonly #hinted = new Set<string>()
  #connected: ReadonlySet<string> = new Set()
  #looking = false

  constructor(rpc: RpcClient, kubo: Kubo, report: (event: EngineEvent) => void) {
    this.#rpc = rpc
    this.#kubo = kubo
    this.#report = report
    this.#unwatch = kubo.health.on(({ type }) => {
      if (type === 'look') void this.#look()
    })
  }

  close(): void {
    this.#unwatch()
  }

  /**
   * Two daemons that dial each other at the same moment, from the ports that they listen on, can meet half-way: both
   * act as the client and give up. The other side's next dial may have succeeded by now; if not, another try does.
   */
  async connect(peer: PeerInfo, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#dial(peer, signal)
        return
      } catch (error) {
        if (!isP2plError(error, 'UNREACHABLE') || !crossed.test(error.message)) throw error
        if ((await this.list(signal)).some(({ id }) => id === peer.id)) return
        if (attempt === crossedAttempts) throw error
        await sleep(Math.random() * crossedPause * attempt, { signal })
      }
    }
  }

  async disconnect(id: string, signal: AbortSignal): Promise<void> {
    try {
      const query = new URLSearchParams({ arg: `/p2p/${id}` })
      await (await this.#rpc.request(disconnecting, { path: 'swarm/disconnect', query, signal })).collect()
    } catch (error) {
      // It is no error if the peer is not connected.
      if (!isP2plError(error, 'NOT_FOUND') && !(isP2plError(error, 'ENGINE') && /not connected/.test(error.message)))
        throw error
    }
  }

  async list(signal?: AbortSignal): Promise<PeerInfo[]> {
    const answer = await this.#rpc.request(listing, { path: 'swarm/peers', signal })
    const { Peers: peers } = await answer.json(maxListBytes)
    const addresses = new Map<string, string[]>()
    for (const entry of Array.isArray(peers) ? (peers as ({ Peer?: unknown; Addr?: unknown } | null)[]) : []) {
      const [id, address] = [entry?.Peer, entry?.Addr]
      if (!isPeerId(id) || !isMultiaddr(address)) continue
      const known = addresses.get(id)
      if (known === undefined) addresses.set(id, [address])
      else known.push(address)
    }
    return [...addresses].map(([id, list]) => ({ network: 'libp2p', id, addresses: readableAddresses(list) }))
  }

  /**
   * Connects in the background to a few peers that probably have a block. The number is limited, and failures do not
   * matter.
   */
  hint(providers: readonly PeerInfo[] | undefined): void {
    for (const peer of (providers ?? []).slice(0, maxHints)) {
      if (this.#connected.has(peer.id) || this.#hinted.has(peer.id) || peer.id === this.#kubo.identity.id) continue
      if (this.#hinted.size >= maxHintDials) return
      this.#hinted.add(peer.id)
      void this.#dial(peer)
        .catch(() => {})
        .finally(() => this.#hinted.delete(peer.id))
    }
  }

  /** Reports which peers connected and disconnected since the last look. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const now = new Set((await this.list()).map(({ id }) => id))
      const before = this.#connected
      this.#connected = now
      for (const id of now) if (!before.has(id)) this.#report({ type: 'peer:connect', id })
      for (const id of before) if (!now.has(id)) this.#report({ type: 'peer:disconnect', id })
    } catch {
      // The next look follows soon.
    } finally {
      this.#looking = false
    }
  }

  async #dial(peer: PeerInfo, signal?: AbortSignal): Promise<void> {
    const addresses = peer.addresses.filter(isMultiaddr)
    const query = new URLSearchParams()
    // The daemon tries all addresses. Without any, it asks the DHT.
    for (const address of addresses.length === 0 ? [''] : addresses) query.append('arg', withPeerId(address, peer.id))
    await (await this.#rpc.request(dialling, { path: 'swarm/connect', query, signal })).collect()
  }
}
