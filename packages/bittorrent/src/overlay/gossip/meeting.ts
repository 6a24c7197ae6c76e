import { BoundedMap, sleep } from '@p2pl/core/backend'
import { formatAddress, type Address } from '../../tools/address.ts'
import type { Key } from '../keys.ts'
import type { Dialler } from '../links/dialler.ts'
import type { Links } from '../links/links.ts'
import type { Places } from '../links/places.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import { FormerPeers } from './former-peers.ts'
import type { Mesh } from './mesh.ts'

const dialsAtOnce = 8
const dialTimeout = 8_000
const searchTimeout = 10_000
/** While there are no peers: the pause between searches (ms), and the number of searches after which it grows. */
const alonePause = 500
const eagerRounds = 40
const longestAlonePause = 15_000
/** While there are fewer peers than wanted. */
const firstFewPause = 1_000
const longestPause = 120_000
/** How long (ms) an address is left alone that did not answer or is not in the topic; longer after each further failure. */
const firstDisappointment = 1_000
const longestDisappointment = 4_000
const maxRemembered = 512

export interface MeetingInit {
  readonly key: Key
  readonly mesh: Mesh
  readonly links: Links
  readonly dialler: Dialler
  readonly places: Places
  readonly rendezvous: Rendezvous
  readonly degree: number
  /** Others can find a subscriber, but not a peer that only publishes. */
  readonly joined: () => boolean
}

interface Disappointment {
  readonly until: number
  readonly pause: number
}

/**
 * Looks for other peers of one topic. While alone it searches often, so that peers that start in the same second find
 * each other, then less and less often.
 */
export class Meeting {
  readonly #init: MeetingInit
  readonly #stopped = new AbortController()
  readonly #disappointing = new BoundedMap<string, Disappointment>(maxRemembered)
  readonly #former: FormerPeers
  #dials = 0
  #rounds = 0
  #wake: (() => void) | undefined

  constructor(init: MeetingInit) {
    this.#init = init
    this.#former = new FormerPeers(init.links, init.dialler)
  }

  start(): void {
    void this.#run().catch(() => {})
  }

  /** A peer of the topic was lost. Looks for that peer and for others. */
  lost(address: Address | undefined): void {
    if (address !== undefined) this.#former.add(address)
    this.again()
  }

  /** Looks again soon. */
  again(): void {
    this.#rounds = 0
    this.#wake?.()
  }

  stop(): void {
    this.#former.stop()
    this.#stopped.abort()
  }

  /** Somebody says that there is a peer of the topic at this address. */
  heard(address: Address): void {
    const { links, dialler, places } = this.#init
    if (this.#stopped.signal.aborted || this.#dials >= dialsAtOnce || !this.#wants(this.#dials)) return
    if (dialler.isOwn(address) || links.at(address) !== undefined || places.full) return
    const text = formatAddress(address)
    const former = this.#disappointing.get(text)
    if (former !== undefined && former.until > performance.now()) return
    const pause = Math.min((former?.pause ?? firstDisappointment / 2) * 2, longestDisappointment)
    this.#disappointing.set(text, { until: performance.now() + pause, pause })
    void this.#dial(address)
  }

  /**
   * Whether more peers are wanted, with `coming` on their way. This peer must have chosen half of them itself, because
   * strangers that come by themselves might all belong together.
   */
  #wants(coming: number): boolean {
    const { mesh, degree } = this.#init
    const chosen = mesh.links.reduce((count, link) => count + Number(link.outgoing), 0)
    return mesh.size + coming < degree || (chosen + coming < degree / 2 && mesh.size < degree * 2)
  }

  async #dial(address: Address): Promise<void> {
    this.#dials++
    try {
      await this.#init.dialler.dial(address, AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)]))
    } catch {
      // The dial failed; there are other addresses.
    } finally {
      this.#dials--
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await this.#search(AbortSignal.any([signal, AbortSignal.timeout(searchTimeout)])).catch(() => {})
      if (signal.aborted) return
      await this.#pause(signal)
    }
  }

  async #search(signal: AbortSignal): Promise<void> {
    const { key, rendezvous, joined } = this.#init
    if (!rendezvous.meets) return
    const found = (address: Address): void => this.heard(address)
    if (joined()) await rendezvous.put(key, found, signal)
    else if (this.#wants(0)) await rendezvous.lookup(key, found, signal)
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const round = this.#rounds++
    let pause = longestPause
    if (this.#init.mesh.size === 0)
      pause = Math.min(alonePause * 1.3 ** Math.max(0, round - eagerRounds), longestAlonePause)
    else if (this.#wants(0)) pause = Math.min(firstFewPause * 1.6 ** round, longestPause)
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    // Random, so that peers that started together do not search at the same moments for ever.
    await sleep(pause * (1 + Math.random() * 0.6), { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {})
    this.#wake = undefined
  }
}
