import type { Link } from '../links/link.ts'

/** A link with this much unread is full. */
const fullAt = 1024 * 1024
/** A peer that has not read what was sent to it within this time is not waited for again, until it has. */
const patience = 1_000

/** Lets a publisher wait for its peers, so that it does not outrun them; a peer that stands still delays nobody twice. */
export class Room {
  readonly #slow = new WeakSet<Link>()

  /** Resolves when none of the links is full, or when those that are have had their time. */
  async wait(links: readonly Link[]): Promise<void> {
    const full = links.filter((link) => link.buffered >= fullAt && !this.#slow.has(link))
    if (full.length === 0) return
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, patience)
    const drained = full.map(async (link) => {
      await link.drained()
      this.#slow.delete(link)
    })
    await Promise.race([Promise.all(drained), late.promise])
    clearTimeout(timer)
    for (const link of full) if (link.buffered >= fullAt) this.#slow.add(link)
  }
}
