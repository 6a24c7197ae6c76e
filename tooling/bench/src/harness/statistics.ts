/** The middle of the values; of an even number of them, halfway between the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

export interface Comparison {
  readonly baseline: number
  readonly subject: number
  /** Over 1: the subject is better. Of the medians. */
  readonly ratio: number
  /** The smallest and largest ratio of two neighbouring runs: how far to trust `ratio`. */
  readonly spread: readonly [number, number]
}

/** Compares runs that were made in turns. */
export function compare(
  baseline: readonly number[],
  subject: readonly number[],
  better: 'higher' | 'lower'
): Comparison {
  if (baseline.length !== subject.length) throw new RangeError('as many runs of the one as of the other')
  const ratio = (a: number, b: number): number => (better === 'higher' ? b / a : a / b)
  const pairs = baseline.map((value, i) => ratio(value, subject[i] as number))
  const medians = { baseline: median(baseline), subject: median(subject) }
  return {
    ...medians,
    ratio: ratio(medians.baseline, medians.subject),
    spread: [Math.min(...pairs), Math.max(...pairs)]
  }
}
