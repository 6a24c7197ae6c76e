import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import type { Committer } from '../replica/committer.ts'
import { BoundedMap } from '@p2pl/core/backend'

/** Leaves whose entries are all here, so that walks through similar indexes do not fetch them again. */
export class SolidLeaves {
  readonly #committer: Committer
  #digests: BoundedMap<string, true> = new BoundedMap(limits.solidLeaves)
  #generation = 0

  constructor(committer: Committer) {
    this.#committer = committer
  }

  add(digest: Bytes): void {
    this.#sinceFailure().set(mapKey(digest), true)
  }

  has(digest: Bytes): boolean {
    return this.#sinceFailure().has(mapKey(digest))
  }

  /** A failed write of the store may have removed entries of any leaf. */
  #sinceFailure(): BoundedMap<string, true> {
    if (this.#generation !== this.#committer.generation) {
      this.#generation = this.#committer.generation
      this.#digests = new BoundedMap(limits.solidLeaves)
    }
    return this.#digests
  }
}
