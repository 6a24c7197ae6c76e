import type { Link } from './link.ts'

/** The kinds of frames, by the part that owns them. `PROTOCOL.md` specifies their content. */
export const frame = {
  hello: 1,
  keepAlive: 2,

  topics: 16,
  message: 17,
  have: 18,
  want: 19,
  prune: 20,
  introduce: 21,

  ask: 32,
  offer: 33,
  fetch: 34,
  chunk: 35,
  cancel: 36,

  provides: 48,
  provided: 49,
  torrent: 50,
  infoHash: 51
} as const

/** The longest body of an unknown kind: a later version may send such frames, but of limited size. */
const unknownLimit = 65_536
const costOfUnknown = 10
/** Points for a frame that no correct peer sends. */
const strikeForMalformed = 25

/** Handles the frames of one kind. It copies from `body` what it keeps, and throws when the body is malformed. */
export type Handler = (link: Link, body: Uint8Array) => void

/** The handlers of frames. Each part registers the kinds that it owns. */
export class Frames {
  readonly #handlers = new Map<number, { readonly limit: number; readonly handle: Handler }>()

  /** `limit`: the most bytes of a body. A link that brings a longer one is closed. */
  on(kind: number, limit: number, handle: Handler): void {
    if (this.#handlers.has(kind)) throw new Error(`frames of kind ${kind} have two owners`)
    this.#handlers.set(kind, { limit, handle })
  }

  limitOf(kind: number): number {
    return this.#handlers.get(kind)?.limit ?? unknownLimit
  }

  handle(link: Link, kind: number, body: Uint8Array): void {
    const handler = this.#handlers.get(kind)
    if (handler === undefined) return void link.spend(costOfUnknown)
    try {
      handler.handle(link, body)
    } catch {
      link.strike(strikeForMalformed)
    }
  }
}
