import { sleep } from '@p2pl/core/backend'
import { formatAddress, type Address } from '../../tools/address.ts'
import { hexOf } from '../../tools/bytes.ts'
import type { Key } from '../keys.ts'
import { recordLifetime, type Dht } from './dht.ts'
import type { LocalDiscovery } from './local.ts'
import { announceTo, type Announcement } from './tracker.ts'

export interface RendezvousInit {
  readonly dht: Dht | undefined
  readonly local: LocalDiscovery | undefined
  readonly trackers: readonly URL[]
  readonly peerId: Uint8Array
  readonly port: () => number
}

/** A newly linked peer needs this long (ms) to appear in the DHT's table. */
const tablePatience = 2_000
const linkPatience = 200
const tablePoll = 25
/** Well within the life of a record. Trackers also forget peers after some 30 minutes. */
const renewalInterval: number = recordLifetime / 3
const renewalCheck = 5_000
const renewalsAtOnce = 4

/** Where peers that do not know each other meet: under keys, in the DHT, at trackers and by multicast. */
export class Rendezvous {
  readonly #init: RendezvousInit
  /** Keys under which this peer can be found, and when they must be renewed. */
  readonly #kept = new Map<string, { readonly key: Key; due: number }>()
  /** Keys under which trackers list this peer, as hexadecimal digits. */
  readonly #listed = new Set<string>()
  readonly #stopped = new AbortController()
  #renewing = false

  constructor(init: RendezvousInit) {
    this.#init = init
    const timer = setInterval(() => void this.#renew(), renewalCheck)
    timer.unref()
    this.#stopped.signal.addEventListener('abort', () => clearInterval(timer))
  }

  /** Whether this peer can meet others at all. */
  get meets(): boolean {
    return this.keepsRecords || this.#init.local !== undefined
  }

  /** Whether any place keeps records. */
  get keepsRecords(): boolean {
    return this.#init.dht !== undefined || this.#init.trackers.length > 0
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Calls `found` once for each address. Resolves when the search is complete. */
  async lookup(
    key: Key,
    found: (address: Address) => void,
    signal: AbortSignal,
    where: 'everywhere' | 'trackers' = 'everywhere'
  ): Promise<void> {
    const seen = new Set<string>()
    const once = (address: Address): void => {
      const text = formatAddress(address)
      if (seen.has(text)) return
      seen.add(text)
      found(address)
    }
    const { dht, local } = this.#init
    const searches = this.#init.trackers.map(async (tracker) => {
      const known = this.#listed.has(hexOf(key))
      for (const address of await this.#tell(tracker, key, known ? 'update' : 'started', signal)) once(address)
      // A tracker lists each peer that asks. A peer that only asked takes that back.
      if (!known && !this.#listed.has(hexOf(key))) await this.#tell(tracker, key, 'stopped', signal)
    })
    if (where === 'everywhere' && dht !== undefined) searches.push(dht.lookup(key, once, signal))
    if (where === 'everywhere' && local !== undefined) searches.push(local.search(key, once, signal))
    // A place that fails counts as one without peers.
    await Promise.allSettled(searches)
    signal.throwIfAborted()
  }

  /**
   * Puts out a record once, and calls `found` for peers that turn up on the way. Returns whether anybody has taken the
   * record.
   */
  async put(key: Key, found: (address: Address) => void, signal: AbortSignal): Promise<boolean> {
    const { dht, local } = this.#init
    if (this.#init.trackers.length > 0) this.#listed.add(hexOf(key))
    const places = this.#init.trackers.map(async (tracker) => {
      for (const address of await this.#tell(tracker, key, 'started', signal)) found(address)
      return true
    })
    if (dht !== undefined) places.push(dht.announce(key, this.#init.port(), found, signal))
    if (local !== undefined) places.push(putLocally(local, key, found, signal))
    const results = await Promise.allSettled(places)
    signal.throwIfAborted()
    return results.some((result) => result.status === 'fulfilled' && result.value)
  }

  /** Keeps putting out the record, each time after a third of its life. */
  keep(key: Key): void {
    this.#kept.set(hexOf(key), { key, due: performance.now() + renewalInterval })
  }

  /** Like `keep`, but the first record goes out soon: for records of earlier runs. */
  keepSoon(key: Key): void {
    this.#init.local?.keep(key)
    this.#kept.set(hexOf(key), { key, due: performance.now() })
  }

  /** Ends the renewal. Trackers are told; the DHT has no message for that. */
  drop(key: Key): void {
    this.#init.local?.drop(key)
    this.#kept.delete(hexOf(key))
    if (!this.#listed.delete(hexOf(key))) return
    for (const tracker of this.#init.trackers) this.#tell(tracker, key, 'stopped', this.#stopped.signal).catch(() => {})
  }

  /** Whether anybody can be asked, after a newly linked peer has had time to appear. */
  async reachable(linked: () => boolean, signal: AbortSignal): Promise<boolean> {
    const { dht, trackers } = this.#init
    if (trackers.length > 0) return true
    if (dht === undefined) return false
    // A peer may be about to connect without this end seeing it yet.
    const patience = (): number => (linked() ? tablePatience : linkPatience)
    // It counts looks, not time: data that arrived while this process was blocked is read before the next look.
    for (let waited = 0; dht.size === 0 && waited < patience(); waited += tablePoll) await sleep(tablePoll, { signal })
    return dht.size > 0
  }

  async #tell(tracker: URL, key: Key, event: Announcement['event'], signal: AbortSignal): Promise<readonly Address[]> {
    const { peerId, port } = this.#init
    return await announceTo(tracker, { key, peerId, port: port(), event }, signal)
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    try {
      const now = performance.now()
      const due = [...this.#kept.values()].filter((kept) => kept.due <= now)
      const next = async (): Promise<void> => {
        for (let kept = due.pop(); kept !== undefined; kept = due.pop()) {
          const taken = await this.put(kept.key, () => {}, this.#stopped.signal).catch(() => false)
          // With no takers, it tries again soon, because there may be peers then.
          kept.due = performance.now() + (taken ? renewalInterval : renewalCheck)
        }
      }
      await Promise.all(Array.from({ length: renewalsAtOnce }, next))
    } finally {
      this.#renewing = false
    }
  }
}

/** Others hear of it, but none of them keeps it. */
async function putLocally(
  local: LocalDiscovery,
  key: Key,
  found: (address: Address) => void,
  signal: AbortSignal
): Promise<boolean> {
  local.keep(key)
  await local.search(key, found, signal)
  return false
}
