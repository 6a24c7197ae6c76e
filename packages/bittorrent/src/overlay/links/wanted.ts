import { BoundedMap } from '@p2pl/core/backend'
import type { Link } from './link.ts'

const maxWanted = 2_048

/** Peers that the user wants to be connected to, by id or by address. Their links never make room for others. */
export class Wanted {
  readonly #names = new BoundedMap<string, true>(maxWanted)

  add(name: string): void {
    this.#names.set(name, true)
  }

  has(link: Link): boolean {
    return this.#names.has(link.id) || this.#names.has(String(link))
  }

  drop(name: string): void {
    this.#names.delete(name)
  }
}
