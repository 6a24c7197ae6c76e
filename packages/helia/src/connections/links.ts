import { keepNothingAlive } from '@p2pl/embedded'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerInfo } from '@p2pl/core/backend'
import { dialable, parsePeerId } from '../peers.ts'

const firstPause = 100
const longestPause = 10_000
const dialLimit = 10_000

interface Kept {
  peer: PeerInfo
  failures: number
  onUnreachable: ((reason: string) => void) | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

/**
 * Connections that are made again whenever they are lost, for ever: the engine's own reconnecting gives up after five
 * failures.
 */
export class Links {
  readonly #libp2p: Libp2p
  readonly #kept = new Map<string, Kept>()
  readonly #stopped = new AbortController()

  constructor(libp2p: Libp2p) {
    this.#libp2p = libp2p
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      const kept = this.#kept.get(detail.toString())
      if (kept !== undefined) this.#schedule(kept, firstPause)
    })
  }

  /** Dials now, and on every loss until `release`. Rejects when this first dial fails; then nothing is kept. */
  async connect(peer: PeerInfo, signal: AbortSignal): Promise<void> {
    await this.dial(peer, signal)
    this.#remember(peer)
  }

  /** The same without a first dial: for peers that may not be there yet. `onUnreachable` hears of the first failure. */
  keep(peer: PeerInfo, onUnreachable?: (reason: string) => void): void {
    const kept = this.#remember(peer)
    kept.onUnreachable = onUnreachable
    this.#schedule(kept, 0)
  }

  release(id: string): void {
    clearTimeout(this.#kept.get(id)?.timer)
    this.#kept.delete(id)
  }

  stop(): void {
    this.#stopped.abort()
    for (const { timer } of this.#kept.values()) clearTimeout(timer)
    this.#kept.clear()
  }

  /** One dial to all known addresses of the peer. An open connection is enough. */
  async dial(peer: PeerInfo, signal: AbortSignal): Promise<void> {
    const id = parsePeerId('dial', peer.id)
    if (this.#isConnected(id)) return
    const given = await this.#addAddresses(id, peer)
    try {
      await this.#libp2p.dial(id, { signal })
    } catch (error) {
      if (signal.aborted || given.length === 0) throw error
      // The dial may have joined one that was under way to addresses of a former life.
      await this.#libp2p.dial(given, { signal })
    }
  }

  /** Given addresses join those in the peer store: a peer that came back may have told its new ones to others. */
  async #addAddresses(id: PeerId, peer: PeerInfo): Promise<Multiaddr[]> {
    const multiaddrs = dialable(peer.id, peer.addresses)
    if (multiaddrs.length > 0) await this.#libp2p.peerStore.merge(id, { multiaddrs })
    return multiaddrs
  }

  #isConnected(id: PeerId): boolean {
    return this.#libp2p.getConnections(id).some(({ status, limits }) => status === 'open' && limits === undefined)
  }

  #remember(peer: PeerInfo): Kept {
    const known = this.#kept.get(peer.id)
    if (known !== undefined) {
      known.peer = peer
      return known
    }
    const kept: Kept = { peer, failures: 0, timer: undefined, onUnreachable: undefined }
    this.#kept.set(peer.id, kept)
    return kept
  }

  #schedule(kept: Kept, pause: number): void {
    if (this.#stopped.signal.aborted) return
    clearTimeout(kept.timer)
    kept.timer = setTimeout(() => void this.#redial(kept), pause)
    keepNothingAlive(kept.timer)
  }

  async #redial(kept: Kept): Promise<void> {
    if (this.#kept.get(kept.peer.id) !== kept) return
    try {
      await this.dial(kept.peer, AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialLimit)]))
      kept.failures = 0
    } catch (error) {
      if (++kept.failures === 1 && !this.#stopped.signal.aborted) kept.onUnreachable?.(String(error))
      // Half of the pause is random: peers that lost the same neighbour must not come back in step.
      const pause = Math.min(firstPause * 2 ** Math.min(kept.failures, 10), longestPause)
      if (this.#kept.get(kept.peer.id) === kept) this.#schedule(kept, pause * (0.5 + Math.random() / 2))
    }
  }
}
