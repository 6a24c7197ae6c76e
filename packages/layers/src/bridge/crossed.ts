import { BoundedMap } from '@p2pl/core/backend'

/** Messages that are remembered. At the rate that the budgets allow, a message comes back long before it is forgotten. */
const maxMessages = 65_536

/** On which sides each message has been. It crosses only to a side where it has not. */
export class Crossed<Side> {
  readonly #sides = new BoundedMap<string, Side[]>(maxMessages)

  /** Whether it is new on the side; it has been there from now on. */
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
