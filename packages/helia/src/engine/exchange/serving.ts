import type { Libp2p, PeerId } from '@libp2p/interface'
import { BoundedMap, bytesKey } from '@p2pl/core/backend'
import type { BitswapInternals, Ledger } from './library.ts'
import { nothing, type MessagePart, type WantEntry } from './message.ts'

/** The most wants of one peer that wait. Beyond that, the oldest is dropped. */
const maxWaiting = 2_048
/** An answer has as many blocks as make up about this many bytes, estimated from the last answer. */
const answerTarget = 4 * 1024 * 1024
const fewest = 8
const most = 64

type PeerWantLists = BitswapInternals['peerWantLists']

/**
 * Hands the wants of each peer to the engine in portions. The engine reads all blocks that a peer wants into memory
 * before it sends the first: any peer could make it read a thousand blocks of 2 MiB.
 */
export function admitWants(libp2p: Libp2p, lists: PeerWantLists): void {
  const counters = new Map<string, Counter>()
  const receive = lists.receiveMessage.bind(lists)
  lists.receiveMessage = (peer, message) => {
    // An entry for a peer that has left would never be removed.
    if (libp2p.getConnections(peer).length === 0) return
    const id = peer.toString()
    let counter = counters.get(id)
    if (counter === undefined) {
      counter = new Counter(peer, lists, receive)
      counters.set(id, counter)
    }
    counter.take(message)
  }
  libp2p.addEventListener('peer:disconnect', ({ detail }) => {
    counters.get(detail.toString())?.close()
    counters.delete(detail.toString())
    lists.ledgerMap.delete(detail)
  })
}

/** The queue of one peer's wants. */
class Counter {
  readonly #peer: PeerId
  readonly #lists: PeerWantLists
  readonly #receive: PeerWantLists['receiveMessage']
  readonly #waiting = new BoundedMap<string, WantEntry>(maxWaiting)
  #ledger: Ledger | undefined
  #portion = fewest
  #sentBefore = 0

  constructor(peer: PeerId, lists: PeerWantLists, receive: PeerWantLists['receiveMessage']) {
    this.#peer = peer
    this.#lists = lists
    this.#receive = receive
  }

  take(message: MessagePart): void {
    const { entries, full } = message.wantlist ?? { entries: [] }
    if (full === true) this.#waiting.clear()
    const cancels: WantEntry[] = []
    for (const entry of entries) {
      const key = bytesKey(entry.cid)
      if (entry.cancel === true) {
        this.#waiting.delete(key)
        cancels.push(entry)
      } else this.#waiting.set(key, entry)
    }
    if (cancels.length > 0 || full === true)
      this.#receive(this.#peer, { ...nothing(), wantlist: { entries: cancels, full: full === true } })
    this.#serve()
  }

  close(): void {
    this.#waiting.clear()
  }

  readonly #serve = (): void => {
    if (this.#waiting.size === 0 || (this.#ledger !== undefined && this.#ledger.sendQueue.size > 0)) return
    const entries: WantEntry[] = []
    for (const [key, entry] of this.#waiting) {
      this.#waiting.delete(key)
      // A peer that asks again did not get the block, or lost it. The engine considers it answered unless it is told to
      // forget the first want.
      entries.push({ ...entry, cancel: true }, entry)
      if (entries.length === this.#portion * 2) break
    }
    this.#receive(this.#peer, { ...nothing(), wantlist: { entries, full: false } })
    const ledger = this.#lists.ledgerMap.get(this.#peer)
    if (ledger === undefined || ledger === this.#ledger) return
    this.#ledger = ledger
    ledger.sendQueue.addEventListener('next', () => {
      this.#adapt(ledger)
      this.#serve()
    })
  }

  #adapt({ bytesSent }: Ledger): void {
    const bytes = bytesSent - this.#sentBefore
    this.#sentBefore = bytesSent
    this.#portion = Math.min(most, Math.max(fewest, Math.floor((answerTarget * this.#portion) / Math.max(bytes, 1))))
  }
}
