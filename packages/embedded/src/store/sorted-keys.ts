/** A longer run of keys is split in two. */
const maxRun = 512

/** A sorted set of texts that finds those with a prefix without looking at all of them. */
export class SortedKeys {
  /** Sorted runs of sorted keys. No run is empty. */
  readonly #runs: string[][] = []

  add(key: string): void {
    const index = Math.max(0, this.#runIndex(key))
    const run = this.#runs[index]
    if (run === undefined) {
      this.#runs.push([key])
      return
    }
    const at = firstFrom(run, (one) => one >= key)
    if (run[at] === key) return
    run.splice(at, 0, key)
    if (run.length > maxRun) this.#runs.splice(index + 1, 0, run.splice(run.length / 2))
  }

  delete(key: string): void {
    const index = this.#runIndex(key)
    const run = this.#runs[index]
    if (run === undefined) return
    const at = firstFrom(run, (one) => one >= key)
    if (run[at] !== key) return
    run.splice(at, 1)
    if (run.length === 0) this.#runs.splice(index, 1)
  }

  withPrefix(prefix: string): string[] {
    const found: string[] = []
    for (let index = Math.max(0, this.#runIndex(prefix)); index < this.#runs.length; index++) {
      const run = this.#runs[index] ?? []
      for (let at = firstFrom(run, (one) => one >= prefix); at < run.length; at++) {
        const key = run[at] as string
        if (!key.startsWith(prefix)) return found
        found.push(key)
      }
    }
    return found
  }

  /** The last run that begins at or before the key; -1 when there is none. */
  #runIndex(key: string): number {
    return firstFrom(this.#runs, ([first]) => (first as string) > key) - 1
  }
}

/** The index of the first item for which `reached` holds. It must hold for all items after it too. */
function firstFrom<T>(items: readonly T[], reached: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reached(items[middle] as T)) high = middle
    else low = middle + 1
  }
  return low
}
