const maxBytes = 32 * 1024 * 1024
const maxMessages = 16_384
const maxAge = 60_000

interface Kept {
  readonly body: Uint8Array
  readonly at: number
}

/** The last messages, for those who missed them. */
export class Recent {
  readonly #messages = new Map<string, Kept>()
  #bytes = 0

  get(id: string): Uint8Array | undefined {
    return this.#messages.get(id)?.body
  }

  add(id: string, body: Uint8Array): void {
    this.#messages.set(id, { body, at: performance.now() })
    this.#bytes += body.byteLength
    for (const [oldest, kept] of this.#messages) {
      const fits = this.#bytes <= maxBytes && this.#messages.size <= maxMessages
      if (fits && performance.now() - kept.at <= maxAge) break
      this.#messages.delete(oldest)
      this.#bytes -= kept.body.byteLength
    }
  }
}
