import { equalBytes } from '../toolbox/bytes.ts'

/** Own payloads that may still come back; more are forgotten, the oldest first. */
const maxRemembered = 1_024

/**
 * Drops, on raw topics, what the engine gives back of the own publishes. By content, since two peers may share one
 * engine and with it the engine-level id.
 */
export class RawEcho {
  readonly #published: Uint8Array[] = []

  remember(payload: Uint8Array): void {
    // Not slice(): on a Buffer that is a view.
    this.#published.push(new Uint8Array(payload))
    if (this.#published.length > maxRemembered) this.#published.shift()
  }

  /** Whether this is one own payload coming back; each comes back once. */
  isEcho(payload: Uint8Array): boolean {
    const index = this.#published.findIndex((own) => equalBytes(own, payload))
    if (index === -1) return false
    this.#published.splice(index, 1)
    return true
  }
}
