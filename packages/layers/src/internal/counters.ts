import type { Metric } from './exposition.ts'

type LabelSet = Readonly<Record<string, string>>

/** A number for each set of labels. */
export class Counter {
  readonly #head: Omit<Metric, 'samples' | 'type'>
  readonly #values = new Map<string, { readonly labels: LabelSet; value: number }>()

  constructor(name: string, help: string) {
    this.#head = { name, help }
  }

  add(labels: LabelSet, by: number): void {
    const key = JSON.stringify(labels)
    const known = this.#values.get(key)
    if (known === undefined) this.#values.set(key, { labels, value: by })
    else known.value += by
  }

  metric(): Metric {
    return { ...this.#head, type: 'counter', samples: [...this.#values.values()] }
  }
}

/** Upper bounds of durations, in seconds: from a store in memory to a fetch that takes a minute. */
const bounds = [0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 60]

/** The distribution of durations, for each set of labels. */
export class Histogram {
  readonly #head: Omit<Metric, 'samples' | 'type'>
  readonly #values = new Map<string, { readonly labels: LabelSet; readonly counts: number[]; sum: number }>()

  constructor(name: string, help: string) {
    this.#head = { name, help }
  }

  observe(labels: LabelSet, seconds: number): void {
    const key = JSON.stringify(labels)
    let known = this.#values.get(key)
    if (known === undefined) {
      known = { labels, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 }
      this.#values.set(key, known)
    }
    const at = bounds.findIndex((bound) => seconds <= bound)
    const bucket = at === -1 ? bounds.length : at
    known.counts[bucket] = (known.counts[bucket] ?? 0) + 1
    known.sum += seconds
  }

  metric(): Metric {
    const samples = [...this.#values.values()].flatMap(({ labels, counts, sum }) => {
      let total = 0
      const buckets = counts.map((count, at) => {
        total += count
        return { suffix: '_bucket', labels: { ...labels, le: String(bounds[at] ?? '+Inf') }, value: total }
      })
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }]
    })
    return { ...this.#head, type: 'histogram', samples }
  }
}
