import type { Link } from '../links/link.ts'

export const maxTopics = 1_024

/** Which peers are in which topics, according to what they said. Topics are the texts of their keys. */
export class Presence {
  readonly #topics = new WeakMap<Link, Set<string>>()

  has(link: Link, topic: string): boolean {
    return this.#topics.get(link)?.has(topic) === true
  }

  /** Returns whether this is new. A peer in too many topics cannot join more. */
  join(link: Link, topic: string): boolean {
    const topics = this.#topics.get(link) ?? new Set()
    this.#topics.set(link, topics)
    if (topics.size >= maxTopics || topics.has(topic)) return false
    topics.add(topic)
    return true
  }

  leave(link: Link, topic: string): void {
    this.#topics.get(link)?.delete(topic)
  }
}
