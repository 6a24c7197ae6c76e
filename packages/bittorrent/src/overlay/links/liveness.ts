import { frame, type Frames } from './frames.ts'
import type { Links } from './links.ts'

/** Milliseconds between two looks. Looks are counted, not time: when this process stood still, nobody else is to blame. */
export const lookInterval = 1_000
/** A peer that has said nothing between this many looks says that it is there. */
const looksUntilWord = 2
/** A link that has brought nothing between this many looks is cut. */
const looksUntilCut = 8
/** The most time between the last word of a peer and the end of the link, where nothing stands still. */
export const longestSilence: number = (looksUntilCut + 1) * lookInterval

/**
 * Each side of a link says something every two seconds, and gives the link up when it hears nothing for eight. No answers are
 * needed: a side that is not heard is cut off by the other, whichever direction is dead.
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
