import { BoundedMap } from '@p2pl/core/backend'

/**
 * Maximum number of messages that are remembered. At the rate that the budgets allow, a message comes back long before it
 * is forgotten.
 */
const maxMessages = 65_536

/** The sides on which each message has been. A message crosses only to a side where it has not been. */
export class Crossed<Side> {
  readonly #sides = new BoundedMap<string, Side[]>(maxMessages)

  /** Returns whether the message is new on the side, and marks it as seen there. */
  mark(id: string, side: Side): boolean {
    const sides = this.#sides.touch(id)
    if (sides === undefined) this.#sides.set(id, [side])
    else if (sides.includes(side)) return false
    else sides.push(side)
    return true
  }

  has(id: string, side: Side): boolean {
    return this.#sides.get(id)?.includes(side) === true
  }
}
