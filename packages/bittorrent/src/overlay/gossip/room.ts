import type { Link } from '../links/link.ts'

/** A link with this many unread bytes is full. */
const fullAt = 1024 * 1024
/** If a peer does not read its data within this time (ms), nobody waits for it again until it has. */
const patience = 1_000

/** Makes a publisher wait for its peers, so that it does not outrun them. A stalled peer delays it only once. */
export class Room {
  readonly #slow = new WeakSet<Link>()

  /** Resolves when no link is full, or when the time of the full ones is over. */
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
