/** A run of keys is cut into two when it is longer. */
const maxRun = 512

/** A set of texts in order, so that those with a prefix are found without a look at all. */
export class SortedKeys {
  /** Keys in order, in runs in order. No run is empty. */
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

  /** The last run that begins at the key or before it; -1 when there is none. */
  #runIndex(key: string): number {
    return firstFrom(this.#runs, ([first]) => (first as string) > key) - 1
  }
}

/** The index of the first item for which `reached` holds, as it does for all behind it. */
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
