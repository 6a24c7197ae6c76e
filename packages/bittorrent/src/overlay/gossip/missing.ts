import { concatBytes } from '../../tools/bytes.ts'
import type { Key } from '../keys.ts'
import { frame } from '../links/frames.ts'
import type { Link } from '../links/link.ts'

/** A message that is known by its id usually comes by itself within this time. */
const grace = 150
const retryAfter = 400
const maxAttempts = 8
const maxSources = 8
/** Ids that one peer may have named first: the others are not crowded out by it. */
const maxOfOne = 2_048
const sweepInterval = 50
export const maxIdsPerFrame = 1_000

/** A message that others have, and that is not here. */
interface Wanted {
  readonly id: Uint8Array
  readonly first: Link
  readonly sources: Link[]
  due: number
  attempts: number
}

/** Asks for messages of one topic that others have named and that do not come. */
export class Missing {
  readonly #key: Key
  readonly #present: (link: Link) => boolean
  readonly #wanted = new Map<string, Wanted>()
  readonly #counts = new Map<Link, number>()
  #timer: NodeJS.Timeout | undefined

  /** `present`: whether the peer is in the topic. */
  constructor(key: Key, present: (link: Link) => boolean) {
    this.#key = key
    this.#present = present
  }

  arrived(id: string): void {
    const wanted = this.#wanted.get(id)
    if (wanted === undefined) return
    this.#wanted.delete(id)
    const count = this.#counts.get(wanted.first) ?? 0
    if (count > 1) this.#counts.set(wanted.first, count - 1)
    else this.#counts.delete(wanted.first)
  }

  /** `text`: the id as the key of a map. */
  offered(from: Link, text: string, id: Uint8Array): void {
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
      const at = wanted.sources.findIndex((link) => link.open && this.#present(link))
      const source = wanted.sources[at]
      if (source === undefined || wanted.attempts >= maxAttempts) {
        this.arrived(text)
        continue
      }
      wanted.attempts++
      wanted.due = now + retryAfter
      // The next attempt asks another one.
      wanted.sources.push(...wanted.sources.splice(at, 1))
      const ids = asked.get(source) ?? []
      asked.set(source, ids)
      if (ids.length < maxIdsPerFrame) ids.push(wanted.id)
    }
    for (const [link, ids] of asked) link.send(frame.want, this.#key, concatBytes(...ids))
    if (this.#wanted.size === 0) this.stop()
  }
}
