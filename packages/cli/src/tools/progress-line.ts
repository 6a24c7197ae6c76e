export interface ProgressState {
  readonly label: string
  readonly unit: 'bytes' | 'items'
  readonly done: number
  readonly total?: number | undefined
  readonly perSecond: number
}

/** The rate per second, over the last seconds. */
export class Rate {
  readonly #window: number
  readonly #samples: { readonly at: number; readonly done: number }[] = []

  /** `window`: in milliseconds. */
  constructor(window = 5_000) {
    this.#window = window
  }

  /** `at`: milliseconds on a monotonic clock. */
  add(at: number, done: number): void {
    const last = this.#samples.at(-1)
    // A few samples per second are enough.
    if (last !== undefined && this.#samples.length > 1 && at - last.at < 100) this.#samples.pop()
    this.#samples.push({ at, done })
    while (at - (this.#samples[0]?.at ?? at) > this.#window) this.#samples.shift()
  }

  /** 0 while it is unknown. */
  get perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.at === first.at) return 0
    return ((last.done - first.done) * 1_000) / (last.at - first.at)
  }
}

/** One line that fits the terminal: `label ██████░░░░  60 %  12.3 MB/s  0:04 left`. */
export function progressLine(
  { label, unit, done, total, perSecond }: ProgressState,
  columns: number | undefined
): string {
  // The last column stays free, because some terminals break the line there.
  const width = Math.max(10, (columns ?? 80) - 1)
  const amount = unit === 'bytes' ? formatBytes : (value: number): string => Math.round(value).toLocaleString('en')
  const rate = perSecond > 0 ? `  ${amount(perSecond)}/s` : ''
  if (done === 0 && total === undefined) return fit(label, width)
  if (total === undefined || total <= 0) return fit(`${label} ${amount(done)}${rate}`, width)
  const share = Math.min(1, done / total)
  const left = perSecond > 0 ? `  ${formatSeconds((total - done) / perSecond)} left` : ''
  const numbers = ` ${String(Math.floor(share * 100)).padStart(3)} %${rate}${left}`
  const room = Math.min(30, width - label.length - 1 - numbers.length)
  if (room < 5) return fit(`${label}${numbers}`, width)
  const filled = Math.round(share * room)
  return `${label} ${'█'.repeat(filled)}${'░'.repeat(room - filled)}${numbers}`
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Decimal units, as used for disks and networks: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1_000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60]
  const tail = String(whole % 60).padStart(2, '0')
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`
}
