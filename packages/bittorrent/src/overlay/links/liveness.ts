import { frame, type Frames } from './frames.ts'
import type { Links } from './links.ts'

/** Milliseconds between two looks. It counts looks, not time, so that no peer is blamed while this process is blocked. */
export const lookInterval = 1_000
/** After this many looks without sending anything, a peer sends a sign of life. */
const looksUntilWord = 2
/** A link that has brought nothing for this many looks is cut. */
const looksUntilCut = 8
/** The longest time between the last data of a peer and the end of the link, if no process is blocked. */
export const longestSilence: number = (looksUntilCut + 1) * lookInterval

/**
 * Each side of a link sends something every two seconds, and closes the link when it receives nothing for eight. This
 * needs no answers: whichever direction is dead, the side that does not receive closes the link.
 */
export class Liveness {
  readonly #links: Links
  readonly #silent = new WeakMap<object, number>()

  constructor(links: Links, frames: Frames) {
    this.#links = links
    frames.on(frame.keepAlive, 0, () => {})
  }

  look(): void {
    for (const link of this.#links.all()) {
      if (++link.quiet > looksUntilCut) {
        link.fail()
        continue
      }
      const silent = link.spoke ? 0 : (this.#silent.get(link) ?? 0) + 1
      if (silent >= looksUntilWord) link.send(frame.keepAlive)
      this.#silent.set(link, silent)
    }
  }
}
