import { decodeFrame } from './frame.ts'
import type { Frame } from './frame.ts'
import type { Entry, View } from '../api.ts'
import { cidOf } from '../cid.ts'
import { digestOfKey } from '../entry/key.ts'
import type { Replica } from '../replica/replica.ts'

/** A message at its place in the order of writing. */
export interface Logged {
  readonly place: number
  /** It was made here or announced by its sender; any other one was missed before. */
  readonly live: boolean
  readonly entry: Entry
  readonly frame: Frame
}

/** The messages of a view in the order in which they were written here, which is an order of causes. */
export class Log {
  /** Names the order: another store of the same topic has another one. */
  readonly store: string
  readonly #view: View
  readonly #replica: Replica

  constructor(view: View, replica: Replica) {
    this.store = replica.store.id
    this.#view = view
    this.#replica = replica
  }

  /** The last place. */
  get end(): number {
    return this.#replica.store.arrived
  }

  /** The first messages after a place, and how far that is. Rejects with `STORAGE` where one is damaged and nobody gives it. */
  async after(place: number, limit: number): Promise<{ readonly messages: Logged[]; readonly through: number }> {
    const arrivals = await this.#replica.store.arrivals(place, limit)
    const found = await Promise.all(
      arrivals.map(async ({ position, live, key }) => {
        const entry = await this.#view.get(cidOf(digestOfKey(key)))
        // `validate` lets nothing in that is no frame.
        return entry && { place: position, live, entry, frame: decodeFrame(entry.payload) }
      })
    )
    const through = arrivals.at(-1)?.position ?? place
    return { messages: found.filter((logged) => logged !== undefined), through }
  }

  async at(place: number): Promise<Logged | undefined> {
    const [logged] = (await this.after(place - 1, 1)).messages
    return logged?.place === place ? logged : undefined
  }
}
