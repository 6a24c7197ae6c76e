interface Entry<T> {
  readonly owner: string
  readonly item: T
  readonly size: number
}

export interface FairBufferLimits {
  readonly maxItems: number
  readonly maxBytes: number
}

/**
 * Items in order of arrival. When there are too many, the owner with the most items loses its oldest one, so a flood
 * displaces nobody else.
 */
export class FairBuffer<T> {
  readonly #limits: FairBufferLimits
  #entries: Entry<T>[] = []
  readonly #items = new Map<string, number>()
  readonly #bytes = new Map<string, number>()
  #total = 0

  constructor(limits: FairBufferLimits) {
    this.#limits = limits
  }

  get items(): T[] {
    return this.#entries.map(({ item }) => item)
  }

  push(owner: string, item: T, size: number): void {
    if (this.#limits.maxItems === 0 || size > this.#limits.maxBytes) return
    this.#entries.push({ owner, item, size })
    this.#count(owner, 1, size)
    while (this.#entries.length > this.#limits.maxItems) this.#dropFrom(most(this.#items))
    while (this.#total > this.#limits.maxBytes) this.#dropFrom(most(this.#bytes))
  }

  /** Removes and returns the items that match, in order. */
  take(matches: (item: T) => boolean): T[] {
    const taken = this.#entries.filter(({ item }) => matches(item))
    if (taken.length === 0) return []
    this.#entries = this.#entries.filter((entry) => !taken.includes(entry))
    for (const { owner, size } of taken) this.#count(owner, -1, -size)
    return taken.map(({ item }) => item)
  }

  #dropFrom(owner: string): void {
    const [entry] = this.#entries.splice(
      this.#entries.findIndex((each) => each.owner === owner),
      1
    )
    if (entry !== undefined) this.#count(entry.owner, -1, -entry.size)
  }

  #count(owner: string, items: number, bytes: number): void {
    this.#total += bytes
    const left = (this.#items.get(owner) ?? 0) + items
    if (left === 0) {
      this.#items.delete(owner)
      this.#bytes.delete(owner)
      return
    }
    this.#items.set(owner, left)
    this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + bytes)
  }
}

function most(counts: ReadonlyMap<string, number>): string {
  let [owner, highest] = ['', -1]
  for (const [each, count] of counts) if (count > highest) [owner, highest] = [each, count]
  return owner
}
