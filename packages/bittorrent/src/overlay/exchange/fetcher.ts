import { sleep, Window } from '@p2pl/embedded'
import type { Address } from '../../tools/address.ts'
import type { Key } from '../keys.ts'
import type { Dialler } from '../links/dialler.ts'
import type { Rendezvous } from '../rendezvous/rendezvous.ts'
import type { Client } from './client.ts'

const maxWants = 512
const maxHints = 64
const dialTimeout = 8_000
/** Linked peers are asked first; the rendezvous when none of them has answered for this long. */
const firstSearch = 300
const secondSearch = 1_000
const longestSearchPause = 60_000
const maxSearches = 8
const maxDialsPerSearch = 8

/** Ways to a block. */
export interface Leads {
  /** Addresses of peers that probably have it. */
  readonly hints: readonly Address[]
  /** Keys under which its providers may meet. */
  readonly keys: readonly Key[]
  /** Another way, tried when no linked peer has answered. It gives `undefined` when it does not lead there. */
  readonly elsewhere: ((signal: AbortSignal) => Promise<Uint8Array | undefined>) | undefined
}

/** Gets blocks from others: from linked peers, from hinted ones, and from those that meet under the keys of the content. */
export class Fetcher {
  readonly #client: Client
  readonly #dialler: Dialler
  readonly #rendezvous: Rendezvous
  readonly #wants = new Window(maxWants)
  readonly #searches = new Window(maxSearches)

  constructor(client: Client, dialler: Dialler, rendezvous: Rendezvous) {
    this.#client = client
    this.#dialler = dialler
    this.#rendezvous = rendezvous
  }

  async fetch(multihash: Uint8Array, { hints, keys, elsewhere }: Leads, signal: AbortSignal): Promise<Uint8Array> {
    const leave = await this.#wants.enter(signal)
    const done = new AbortController()
    const both = AbortSignal.any([signal, done.signal])
    // Nothing is waited for: the first answer wins, and a hint may be wrong. Most blocks come before a search is due.
    for (const address of hints.slice(0, maxHints)) void this.#dial(address, both)
    const search = setTimeout(() => {
      void this.#search(keys, both).catch(() => {})
      elsewhere?.(both).then(
        (bytes) => bytes !== undefined && this.#client.resolve(multihash, bytes),
        () => {}
      )
    }, firstSearch).unref()
    try {
      return await this.#client.want(multihash, signal)
    } finally {
      clearTimeout(search)
      done.abort()
      leave()
    }
  }

  async #dial(address: Address, signal: AbortSignal): Promise<void> {
    try {
      await this.#dialler.dial(address, AbortSignal.any([signal, AbortSignal.timeout(dialTimeout)]))
    } catch {
      // A provider that does not answer is one less.
    }
  }

  async #search(keys: readonly Key[], signal: AbortSignal): Promise<void> {
    if (!this.#rendezvous.meets) return
    for (let pause = secondSearch; !signal.aborted; pause = Math.min(pause * 4, longestSearchPause)) {
      const leave = await this.#searches.enter(signal)
      try {
        let dials = 0
        const found = (address: Address): void => {
          if (dials++ < maxDialsPerSearch) void this.#dial(address, signal)
        }
        await Promise.all(keys.map((key) => this.#rendezvous.lookup(key, found, signal)))
      } finally {
        leave()
      }
      await sleep(pause, signal)
    }
  }
}
