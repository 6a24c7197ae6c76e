import { concatBytes } from '@p2pl/core/backend'
import type { Key } from '../keys.ts'
import { frame } from '../links/frames.ts'
import type { Link } from '../links/link.ts'

/** A message whose id is known usually arrives by itself within this time (ms). */
const grace = 150
const retryAfter = 400
const maxAttempts = 8
const maxSources = 8
/** The most ids that one peer may have named first, so that it does not crowd out the others. */
export const maxOfOne = 2_048
const sweepInterval = 50
export const maxIdsPerFrame = 1_000

/** A message that others have but that is not here. */
interface Wanted {
  readonly id: Uint8Array
  /** Peers by their ids, because the link to a peer may be replaced. */
  readonly first: string
  readonly sources: string[]
  due: number
  attempts: number
}

/** Asks for messages of one topic that others have named and that do not arrive. */
export class Missing {
  readonly #key: Key
  readonly #linkTo: (peer: string) => Link | undefined
  readonly #wanted = new Map<string, Wanted>()
  readonly #counts = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  /** `linkTo`: an open link to the peer if it is in the topic. */
  constructor(key: Key, linkTo: (peer: string) => Link | undefined) {
    this.#key = key
    this.#linkTo = linkTo
  }

  arrived(id: string): void {
    const wanted = this.#wanted.get(id)
    if (wanted === undefined) return
    this.#wanted.delete(id)
    const count = this.#counts.get(wanted.first) ?? 0
    if (count > 1) this.#counts.set(wanted.first, count - 1)
    else this.#counts.delete(wanted.first)
  }

  /** `text`: the id as a map key. */
  offered(from: string, text: string, id: Uint8Array): void {
    const known = this.#wanted.get(text)
    if (known !== undefined) {
      if (known.sources.length < maxSources && !known.sources.includes(from)) known.sources.push(from)
      return
    }
    const count = this.#counts.get(from) ?? 0
    if (count >= maxOfOne) return
    this.#counts.set(from, count + 1)
    const due = performance.now() + grace
    this.#wanted.set(text, { id: new Uint8Array(id), first: from, sources: [from], due, attempts: 0 })
    this.#timer ??= setInterval(() => this.#sweep(), sweepInterval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#wanted.clear()
    this.#counts.clear()
  }

  #sweep(): void {
    const now = performance.now()
    const asked = new Map<Link, Uint8Array[]>()
    for (const [text, wanted] of this.#wanted) {
      if (wanted.due > now) continue
      if (wanted.attempts >= maxAttempts) {
        this.arrived(text)
        continue
      }
      const link = this.#nextSource(wanted)
      const ids = (link && asked.get(link)) ?? []
      // The next sweep asks for it.
      if (ids.length >= maxIdsPerFrame) continue
      wanted.attempts++
      wanted.due = now + retryAfter
      ids.push(wanted.id)
      if (link !== undefined) asked.set(link, ids)
    }
    for (const [link, ids] of asked) link.send(frame.want, this.#key, concatBytes(...ids))
    if (this.#wanted.size === 0) this.stop()
  }

  /** Each attempt asks a different peer. */
  #nextSource({ sources }: Wanted): Link | undefined {
    for (let i = 0; i < sources.length; i++) {
      const peer = sources.shift() as string
      sources.push(peer)
      const link = this.#linkTo(peer)
      if (link !== undefined) return link
    }
    return undefined
  }
}
