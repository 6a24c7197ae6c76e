import { BoundedMap } from '@p2pl/core/backend'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { headOf } from '../store/heads.ts'
import type { Head } from '../store/heads.ts'

/** How many authors' latest entries are remembered. */
const maxAuthors = 256

/** The latest entry that each author has appended here since the view was opened. The author's next entry names it. */
export class OwnChains {
  #latest: BoundedMap<string, Head> = new BoundedMap(maxAuthors)
  #generation = 0

  appended(entry: EntryRecord, generation: number): void {
    this.#sinceFailure(generation).set(mapKey(entry.author), headOf(entry))
  }

  latest(author: Bytes, generation: number): Head | undefined {
    return this.#sinceFailure(generation).get(mapKey(author))
  }

  /** A failed write may have removed any of these entries, so new chains begin. */
  #sinceFailure(generation: number): BoundedMap<string, Head> {
    if (this.#generation !== generation) {
      this.#generation = generation
      this.#latest = new BoundedMap(maxAuthors)
    }
    return this.#latest
  }
}
