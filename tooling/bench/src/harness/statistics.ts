/** The median. For an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** The value that this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('a quantile of nothing')
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

export interface Comparison {
  /** The ratio of the medians. Above 1, the subject is better. */
  readonly ratio: number
  /** The smallest and largest ratio of two neighbouring runs: how reliable `ratio` is. */
  readonly spread: readonly [number, number]
}

/** Compares the subject with a baseline. Their runs must have been made in turns. */
export function compare(
  baseline: readonly number[],
  subject: readonly number[],
  better: 'higher' | 'lower'
): Comparison {
  if (baseline.length !== subject.length) throw new RangeError('as many runs of the one as of the other')
  const ratio = (a: number, b: number): number => (better === 'higher' ? b / a : a / b)
  const pairs = baseline.map((value, i) => ratio(value, subject[i] as number))
  return { ratio: ratio(median(baseline), median(subject)), spread: [Math.min(...pairs), Math.max(...pairs)] }
}

/** The exponent of a power law through the points: the slope of the line that best fits their logarithms. */
export function order(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (axis: 0 | 1): number => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
