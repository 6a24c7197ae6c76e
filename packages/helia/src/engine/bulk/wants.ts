import { systemClock } from '@p2pl/core/backend'
import { share } from './balance.ts'
import type { Link } from './link.ts'
import type { Want } from './want.ts'

/** How often to check whether linked peers still answer (ms). */
const tick = 250
/**
 * When a peer owes blocks and has sent nothing for this long (ms), it no longer delays anybody: other linked peers are
 * asked …
 */
const stallTime = 500
/** … and after this long (ms), strangers are asked. */
const patience = 2_000

/**
 * Decides which peer is asked for which block. A block is requested from one peer at a time. Another peer is asked when
 * that peer lacks the block or is slow.
 */
export class Wants {
  readonly #links = new Set<Link>()
  readonly #all = new Set<Want>()
  /** Wants that no peer is currently asked for, by session. The session that was served last is at the end. */
  readonly #waiting = new Map<string, Set<Want>>()
  readonly #toFlush = new Set<Link>()
  readonly #mayGrow: () => boolean
  #scheduled = false
  #timer: unknown
  #tickedAt = 0

  /** `mayGrow`: whether a newly connected peer may soon turn out to be one that can be asked. */
  constructor(mayGrow: () => boolean) {
    this.#mayGrow = mayGrow
  }

  attach(link: Link): void {
    this.#links.add(link)
    for (const want of this.#all) if (want.at.length === 0) this.#wait(want)
  }

  detach(link: Link): void {
    this.#links.delete(link)
    this.#toFlush.delete(link)
    for (const want of this.#all) {
      want.lacking.delete(link)
      want.having.delete(link)
      this.#leave(want, link)
    }
  }

  /** The link owes these wants, but will not answer them. */
  owed(link: Link, wants: readonly Want[]): void {
    for (const want of wants) this.#leave(want, link)
  }

  add(want: Want): void {
    this.#all.add(want)
    this.#wait(want)
    if (this.#timer !== undefined) return
    this.#tickedAt = performance.now()
    this.#timer = systemClock.setTimeout(() => this.#tick(), tick)
  }

  end(want: Want): void {
    want.ended = true
    this.#all.delete(want)
    this.#unwait(want)
    for (const link of want.at) {
      link.cancel(want)
      this.#flushSoon(link)
    }
  }

  close(): void {
    systemClock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const want of this.#all) want.ended = true
    this.#links.clear()
    this.#all.clear()
    this.#waiting.clear()
    this.#toFlush.clear()
  }

  have(link: Link, want: Want): void {
    if (want.ended) return
    want.having.add(link)
    if (want.at.length === 0) this.#wait(want)
  }

  missing(link: Link, want: Want): void {
    link.misses++
    if (want.ended) return
    want.lacking.add(link)
    want.having.delete(link)
    this.#leave(want, link, !this.#askOthers(want))
  }

  /** A channel was opened, or an answer made room. */
  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    systemClock.nextTurn(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  #run(): void {
    const now = performance.now()
    const rate = Math.max(1, ...[...this.#links].map((link) => link.rate ?? 0))
    for (const [session, line] of this.#waiting) {
      const want = this.#place(line, rate, now)
      // The session goes to the end, so that each other session gets a place before this one gets its next.
      if (want !== undefined || line.size === 0) this.#waiting.delete(session)
      if (want !== undefined && line.size > 0) this.#waiting.set(session, line)
    }
    if (this.#waiting.size === 0 && this.#links.size > 1)
      for (const link of share([...this.#links], rate, now)) this.#toFlush.add(link)
    for (const link of this.#toFlush) link.flush()
    this.#toFlush.clear()
  }

  /** Takes the first of these wants for which a peer can be asked, and asks that peer. */
  #place(line: Set<Want>, rate: number, now: number): Want | undefined {
    for (const want of line) {
      const candidates = this.#candidates(want)
      if (candidates.length === 0) {
        if (this.#mayGrow() || want.at.some(({ heardAt }) => now - heardAt < patience)) continue
        line.delete(want)
        want.nobody()
        continue
      }
      const link = best(candidates, rate)
      if (link === undefined) continue
      line.delete(want)
      link.want(want, now)
      this.#toFlush.add(link)
      return want
    }
    return undefined
  }

  #candidates(want: Want): Link[] {
    const from = want.having.size > 0 ? want.having : this.#links
    return [...from].filter((link) => !link.stalled && !want.lacking.has(link) && !want.at.includes(link))
  }

  /**
   * After the first peer has said that it lacks the block, all other peers are asked at once whether they have it.
   * Returns whether any peer was asked.
   */
  #askOthers(want: Want): boolean {
    if (want.asked || want.having.size > 0) return false
    const others = this.#candidates(want)
    if (others.length < 2) return false
    want.asked = true
    let any = false
    for (const link of others) {
      if (!link.ask(want)) continue
      any = true
      this.#flushSoon(link)
    }
    return any
  }

  #leave(want: Want, link: Link, again = true): void {
    const index = want.at.indexOf(link)
    if (index >= 0) want.at.splice(index, 1)
    if (again && want.at.length === 0) this.#wait(want)
  }

  #wait(want: Want): void {
    if (want.ended) return
    const line = this.#waiting.get(want.session) ?? new Set()
    this.#waiting.set(want.session, line.add(want))
    this.schedule()
  }

  #unwait(want: Want): void {
    const line = this.#waiting.get(want.session)
    line?.delete(want)
    if (line?.size === 0) this.#waiting.delete(want.session)
  }

  #flushSoon(link: Link): void {
    this.#toFlush.add(link)
    this.schedule()
  }

  #tick(): void {
    this.#timer = this.#all.size === 0 ? undefined : systemClock.setTimeout(() => this.#tick(), tick)
    const now = performance.now()
    // If this process was blocked itself, what others sent in that time is still unread.
    const wasLate = now - this.#tickedAt > 2 * tick
    this.#tickedAt = now
    for (const link of this.#links) if (!wasLate && link.size > 0 && now - link.heardAt > stallTime) link.stalled = true
    // This includes wants whose questions were not answered.
    for (const want of this.#all) if (want.at.every((link) => link.stalled)) this.#wait(want)
  }
}

/** The peer that would send the block first. A peer that lacked the last block ranks after those that had it. */
function best(candidates: readonly Link[], rate: number): Link | undefined {
  let found: Link | undefined
  let least = Infinity
  for (const link of candidates) {
    const cost = Math.min(link.misses, 8) * 1_000 + link.expected(rate)
    if (cost >= least || !link.hasRoom) continue
    found = link
    least = cost
  }
  return found
}
