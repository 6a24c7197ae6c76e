import { decodeFrame } from './frame.ts'
import type { Frame } from './frame.ts'
import type { Entry, View } from '../api.ts'
import { cidOf } from '../cid.ts'
import { digestOfKey } from '../entry/key.ts'
import type { Replica } from '../replica/replica.ts'

/** A message at its place in the order of writing. */
export interface Logged {
  readonly place: number
  /** Whether the message was made here or announced by its sender; otherwise it was missed before. */
  readonly live: boolean
  readonly entry: Entry
  readonly frame: Frame
}

/** The messages of a view in the order in which they were written here. Causes come before effects in it. */
export class Log {
  /** Identifies the order: each store of the topic has a different value. */
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

  /**
   * The first messages after a place, and the place of the last entry that was read. Rejects with `STORAGE` if one is
   * damaged and no peer supplies it.
   */
  async after(place: number, limit: number): Promise<{ readonly messages: Logged[]; readonly through: number }> {
    const arrivals = await this.#replica.store.arrivals(place, limit)
    const found = await Promise.all(
      arrivals.map(async ({ position, live, key }) => {
        const entry = await this.#view.get(cidOf(digestOfKey(key)))
        // `validate` admits only valid frames.
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
