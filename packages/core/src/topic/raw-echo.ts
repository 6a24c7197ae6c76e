import { equalBytes } from '../toolbox/bytes.ts'

/** Own payloads that may still come back. Beyond this number the oldest are forgotten. */
const maxRemembered = 1_024
const maxRememberedBytes = 8 * 1024 * 1024

/**
 * Drops this peer's own messages when the engine delivers them back on a raw topic. It compares the content, since two
 * peers may share one engine and with it the engine-level id.
 */
export class RawEcho {
  readonly #published: Uint8Array[] = []
  #bytes = 0

  remember(payload: Uint8Array): void {
    // Not slice(): on a Buffer that is a view.
    this.#published.push(new Uint8Array(payload))
    this.#bytes += payload.byteLength
    while (this.#published.length > maxRemembered || (this.#bytes > maxRememberedBytes && this.#published.length > 1)) {
      this.#bytes -= this.#published.shift()?.byteLength ?? 0
    }
  }

  /** Whether this is one of the peer's own payloads coming back. Each comes back once. */
  isEcho(payload: Uint8Array): boolean {
    const index = this.#published.findIndex((own) => equalBytes(own, payload))
    if (index === -1) return false
    this.#published.splice(index, 1)
    this.#bytes -= payload.byteLength
    return true
  }
}
