import { BoundedMap } from '@p2pl/core/backend'
import { formatAddress, type Address } from '../../tools/address.ts'
import type { Dialler } from '../links/dialler.ts'
import type { Links } from '../links/links.ts'

const maxFormer = 64
const lifetime = 600_000
const lookInterval = 1_000
const dialsAtOnce = 4
const dialTimeout = 8_000
/** An address is tried again after a tenth of the time that it has been gone, but at least this often (ms). */
const longestPause = 15_000

interface Former {
  readonly address: Address
  readonly lostAt: number
  due: number
}

/**
 * Tries lost peers again, even if there are others. A network that was split in two has enough peers on each side, and
 * would stay split.
 */
export class FormerPeers {
  readonly #links: Links
  readonly #dialler: Dialler
  readonly #former = new BoundedMap<string, Former>(maxFormer)
  readonly #stopped = new AbortController()
  #dials = 0
  #timer: NodeJS.Timeout | undefined

  constructor(links: Links, dialler: Dialler) {
    this.#links = links
    this.#dialler = dialler
  }

  add(address: Address): void {
    if (this.#stopped.signal.aborted) return
    const now = performance.now()
    this.#former.set(formatAddress(address), { address, lostAt: now, due: now + lookInterval / 2 })
    this.#timer ??= setInterval(() => this.#look(), lookInterval).unref()
  }

  stop(): void {
    this.#stopped.abort()
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    for (const [text, former] of this.#former) {
      if (this.#links.at(former.address) !== undefined || now - former.lostAt > lifetime) this.#former.delete(text)
      else if (former.due <= now && this.#dials < dialsAtOnce) void this.#dial(former)
    }
    if (this.#former.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #dial(former: Former): Promise<void> {
    this.#dials++
    former.due = Infinity
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialTimeout)])
      await this.#dialler.dial(former.address, signal)
    } catch {
      const now = performance.now()
      former.due = now + Math.min((now - former.lostAt) / 10, longestPause) * (0.5 + Math.random() / 2)
    } finally {
      this.#dials--
    }
  }
}
