import { BoundedMap, bytesKey, type Verdict } from '@p2pl/core/backend'
import type { Leg } from './leg.ts'

interface Known {
  /** How often each leg has delivered it. */
  readonly brought: Map<Leg, number>
  delivered: number
  verdict: Verdict | Promise<Verdict>
}

/** Maximum number of payloads, and of their bytes, that are remembered for each topic. */
const maxPayloads = 1_024
const maxBytes = 4_194_304

/**
 * Tells copies that came over another leg from new messages of equal bytes. A payload is new when a leg has delivered it
 * more often than any leg before.
 */
export class Doubles {
  #bytes = 0
  readonly #known = new BoundedMap<string, Known>(maxPayloads, (key) => {
    this.#bytes -= key.length
  })

  /** Delivers a new message. A copy gets the verdict of the first. */
  receive(leg: Leg, payload: Uint8Array, deliver: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> {
    const key = bytesKey(payload)
    const known = this.#known.get(key) ?? this.#add(key)
    const count = (known.brought.get(leg) ?? 0) + 1
    known.brought.set(leg, count)
    if (count <= known.delivered) return known.verdict
    known.delivered = count
    return (known.verdict = deliver())
  }

  #add(key: string): Known {
    const known: Known = { brought: new Map(), delivered: 0, verdict: 'ignore' }
    this.#bytes += key.length
    this.#known.set(key, known)
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= maxBytes) break
      this.#known.delete(oldest)
      this.#bytes -= oldest.length
    }
    return known
  }
}
