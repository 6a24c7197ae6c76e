import { BoundedMap, sleep } from '@p2pl/core/backend'
import type { Libp2p, PeerId } from '@libp2p/interface'

const roundPause = 10_000
const maxDials = 4
const dialTimeout = 10_000
/** A peer that did not answer is not dialled again for this long. */
const failedPause = 60_000
const maxFailed = 1_024

/**
 * Dials discovered peers while there are few connections. The engine only records discovered peers, and reports each
 * peer once in the life of the peer store. So this class also tries the known peers again in rounds.
 */
export class Discovery {
  readonly #libp2p: Libp2p
  readonly #low: number
  readonly #dialling = new Set<string>()
  readonly #failed = new BoundedMap<string, number>(maxFailed)
  readonly #stopped = new AbortController()

  constructor(libp2p: Libp2p, low: number) {
    this.#libp2p = libp2p
    this.#low = low
    libp2p.addEventListener('peer:discovery', ({ detail }) => {
      this.#try(detail.id)
    })
    void this.#rounds().catch(() => undefined)
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #rounds(): Promise<void> {
    for (;;) {
      if (this.#wantsMore()) await this.#round()
      await sleep(roundPause, { signal: this.#stopped.signal })
    }
  }

  async #round(): Promise<void> {
    try {
      for (const peer of await this.#libp2p.peerStore.all({ limit: 256 }))
        if (peer.addresses.length > 0) this.#try(peer.id)
    } catch {
      // The store was closed in the meantime, or the next round reads it.
    }
  }

  #wantsMore(): boolean {
    return !this.#stopped.signal.aborted && this.#libp2p.getConnections().length + this.#dialling.size < this.#low
  }

  #try(peer: PeerId): void {
    const id = peer.toString()
    const failedAt = this.#failed.get(id)
    if (
      !this.#wantsMore() ||
      this.#dialling.size >= maxDials ||
      this.#dialling.has(id) ||
      (failedAt !== undefined && performance.now() - failedAt < failedPause) ||
      peer.equals(this.#libp2p.peerId) ||
      this.#libp2p.getConnections(peer).length > 0
    )
      return
    void this.#dial(peer, id)
  }

  async #dial(peer: PeerId, id: string): Promise<void> {
    this.#dialling.add(id)
    try {
      await this.#libp2p.dial(peer, {
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)])
      })
      this.#failed.delete(id)
    } catch {
      this.#failed.set(id, performance.now())
    } finally {
      this.#dialling.delete(id)
    }
  }
}
