import { formatAddress, type Address } from '../../tools/address.ts'
import type { Dialler } from './dialler.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

const firstPause = 100
const longestPause = 3_000
const dialTimeout = 10_000
const maxAddresses = 16
const maxKept = 1_000
/** After this many failures the peer may have moved: it is looked for. */
const failuresBeforeSearch = 3

interface Kept {
  readonly key: string
  /** Unknown for peers that are given by address. */
  readonly id: string | undefined
  addresses: readonly Address[]
  failures: number
  timer: NodeJS.Timeout | undefined
}

export interface KeeperInit {
  readonly links: Links
  readonly dialler: Dialler
  /** Addresses under which a peer says that it can be met. */
  readonly search: (id: string, signal: AbortSignal) => Promise<readonly Address[]>
}

/** Links that are made, and made again whenever they are lost, for as long as the backend runs. */
export class Keeper {
  readonly #init: KeeperInit
  readonly #kept = new Map<string, Kept>()
  readonly #stopped = new AbortController()

  constructor(init: KeeperInit) {
    this.#init = init
    init.links.tell({ closed: (link, replaced) => replaced || this.#lost(link) })
  }

  keep(id: string, addresses: readonly Address[]): void {
    const known = this.#kept.get(id)
    if (known !== undefined) known.addresses = addresses.slice(0, maxAddresses)
    else this.#add({ key: id, id, addresses: addresses.slice(0, maxAddresses), failures: 0, timer: undefined })
  }

  /** For peers whose id nobody knows, and which may not be there yet. */
  keepAddress(address: Address): void {
    const key = formatAddress(address)
    this.#add({ key, id: undefined, addresses: [address], failures: 0, timer: undefined })
  }

  keeps({ id, address }: Link): boolean {
    return this.#kept.has(id) || (address !== undefined && this.#kept.has(formatAddress(address)))
  }

  release(link: Link | undefined, id: string): void {
    this.#remove(id)
    if (link?.address !== undefined) this.#remove(formatAddress(link.address))
  }

  stop(): void {
    this.#stopped.abort()
    for (const { timer } of this.#kept.values()) clearTimeout(timer)
    this.#kept.clear()
  }

  #lost(link: Link): void {
    const address = link.address === undefined ? '' : formatAddress(link.address)
    for (const key of [link.id, address]) {
      const kept = this.#kept.get(key)
      if (kept !== undefined) this.#schedule(kept, firstPause)
    }
  }

  #add(kept: Kept): void {
    if (this.#kept.size >= maxKept) return
    this.#kept.set(kept.key, kept)
    if (!this.#isLinked(kept)) this.#schedule(kept, firstPause)
  }

  #remove(key: string): void {
    clearTimeout(this.#kept.get(key)?.timer)
    this.#kept.delete(key)
  }

  #isLinked({ id, addresses }: Kept): boolean {
    const { links } = this.#init
    if (id !== undefined) return links.get(id) !== undefined
    return addresses.some((address) => links.at(address) !== undefined)
  }

  #schedule(kept: Kept, pause: number): void {
    if (this.#stopped.signal.aborted) return
    clearTimeout(kept.timer)
    kept.timer = setTimeout(() => void this.#redial(kept), pause)
    kept.timer.unref()
  }

  async #redial(kept: Kept): Promise<void> {
    if (this.#kept.get(kept.key) !== kept || this.#isLinked(kept)) return
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)])
    for (const address of await this.#addressesOf(kept, signal)) {
      const link = await this.#init.dialler.dial(address, signal).catch(() => undefined)
      if (link === undefined || (kept.id !== undefined && link.id !== kept.id)) continue
      kept.failures = 0
      return
    }
    kept.failures++
    if (this.#kept.get(kept.key) !== kept) return
    // Half of the pause is random: peers that lost the same link must not come back in step.
    const pause = Math.min(firstPause * 2 ** Math.min(kept.failures, 10), longestPause)
    this.#schedule(kept, pause * (0.5 + Math.random() / 2))
  }

  async #addressesOf({ id, addresses, failures }: Kept, signal: AbortSignal): Promise<readonly Address[]> {
    if (id === undefined || failures < failuresBeforeSearch) return addresses
    const found = await this.#init.search(id, signal).catch(() => [])
    return [...addresses, ...found]
  }
}
