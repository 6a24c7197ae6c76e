import { formatAddress, type Address } from '../address.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

const firstPause = 100
const longestPause = 10_000
const dialLimit = 10_000
const maxAddresses = 16
/** After so many failures the participant may have moved: it is looked for. */
const failuresBeforeSearch = 3

interface Kept {
  readonly key: string
  /** Unknown for participants that are given by address. */
  readonly id: string | undefined
  addresses: readonly Address[]
  failures: number
  timer: NodeJS.Timeout | undefined
}

/** Connections that are made again whenever they are lost, for as long as the backend runs. */
export class Keeper {
  readonly #links: Links
  readonly #search: (id: string, signal: AbortSignal) => Promise<readonly Address[]>
  readonly #kept = new Map<string, Kept>()
  readonly #stopped = new AbortController()

  constructor(links: Links, search: (id: string, signal: AbortSignal) => Promise<readonly Address[]>) {
    this.#links = links
    this.#search = search
  }

  /** Is connected, or will be again and again. */
  keep(id: string, addresses: readonly Address[]): void {
    const known = this.#kept.get(id)
    if (known !== undefined) known.addresses = addresses.slice(0, maxAddresses)
    else this.#add({ key: id, id, addresses: addresses.slice(0, maxAddresses), failures: 0, timer: undefined })
  }

  /** For participants that may not be there yet, and whose id nobody knows. */
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

  /** A link is gone. */
  lost(link: Link): void {
    const address = link.address === undefined ? '' : formatAddress(link.address)
    for (const key of [link.id, address]) {
      const kept = this.#kept.get(key)
      if (kept !== undefined) this.#schedule(kept, firstPause)
    }
  }

  stop(): void {
    this.#stopped.abort()
    for (const { timer } of this.#kept.values()) clearTimeout(timer)
    this.#kept.clear()
  }

  #add(kept: Kept): void {
    this.#kept.set(kept.key, kept)
    if (!this.#isConnected(kept)) this.#schedule(kept, 0)
  }

  #remove(key: string): void {
    clearTimeout(this.#kept.get(key)?.timer)
    this.#kept.delete(key)
  }

  #isConnected({ id, addresses }: Kept): boolean {
    if (id !== undefined) return this.#links.get(id) !== undefined
    return addresses.some((address) => this.#links.at(address) !== undefined)
  }

  #schedule(kept: Kept, pause: number): void {
    if (this.#stopped.signal.aborted) return
    clearTimeout(kept.timer)
    kept.timer = setTimeout(() => void this.#redial(kept), pause)
    kept.timer.unref()
  }

  async #redial(kept: Kept): Promise<void> {
    if (this.#kept.get(kept.key) !== kept || this.#isConnected(kept)) return
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialLimit)])
    for (const address of await this.#addressesOf(kept, signal)) {
      const link = await this.#links.dial(address, signal).catch(() => undefined)
      if (link === undefined || (kept.id !== undefined && link.id !== kept.id)) continue
      kept.failures = 0
      return
    }
    kept.failures++
    if (this.#kept.get(kept.key) !== kept) return
    // Half of the pause is random: participants that lost the same neighbour must not come back in step.
    const pause = Math.min(firstPause * 2 ** Math.min(kept.failures, 10), longestPause)
    this.#schedule(kept, pause * (0.5 + Math.random() / 2))
  }

  async #addressesOf({ id, addresses, failures }: Kept, signal: AbortSignal): Promise<readonly Address[]> {
    if (id === undefined || failures < failuresBeforeSearch) return addresses
    const found = await this.#search(id, signal).catch(() => [])
    return [...addresses, ...found]
  }
}
