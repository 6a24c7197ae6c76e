import { loadavg } from 'node:os'
import { Loopback } from './loopback.ts'
import { Meter } from './meter.ts'
import type { Contender, Context, Kind, Scenario, Side } from './scenario.ts'
import { compare, type Comparison, median } from './statistics.ts'

/** The results of one side of a scenario: medians of its runs. */
export interface Result {
  readonly label: string
  readonly kind: Kind
  readonly figure: number
  readonly samples: readonly number[]
  /** Processor milliseconds of all processes per unit of work. */
  readonly cpu: number
  /** The most memory that a single process held, in MiB. */
  readonly peak: number
  /** Bytes and packets on the wire per unit of work, where they can be counted. */
  readonly wire: { readonly bytes: number; readonly packets: number } | undefined
  readonly also: Readonly<Record<string, number>>
  /** How p2pl compares with this side; absent for p2pl itself. */
  readonly comparison: Comparison | undefined
  readonly aim: number | undefined
  /** Whether the aim was reached; absent without an aim. */
  readonly met: boolean | undefined
}

export interface Row {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: Scenario['better']
  /** Load of the last minute before the scenario began. */
  readonly load: number
  /** p2pl first. */
  readonly results: readonly Result[]
  readonly notes: readonly string[]
  /** Sides that failed. They are left out. */
  readonly failures: readonly string[]
}

class Measured {
  readonly samples: number[] = []
  readonly contender: Contender
  readonly #side: Side
  readonly #meter: Meter
  readonly #cpu: number[] = []
  readonly #bytes: number[] = []
  readonly #packets: number[] = []
  readonly #also: Readonly<Record<string, number>>[] = []
  #peak = 0

  constructor(contender: Contender, side: Side, meter: Meter) {
    this.contender = contender
    this.#side = side
    this.#meter = meter
  }

  async warmUp(): Promise<void> {
    await this.#side.run()
  }

  async run(): Promise<void> {
    const before = await this.#meter.read()
    const { figure, work, also = {} } = await this.#side.run()
    const after = await this.#meter.read()
    this.samples.push(figure)
    this.#cpu.push((after.cpu - before.cpu) / work)
    this.#peak = Math.max(this.#peak, after.peak)
    if (before.traffic !== undefined && after.traffic !== undefined) {
      this.#bytes.push((after.traffic.bytes - before.traffic.bytes) / work)
      this.#packets.push((after.traffic.packets - before.traffic.packets) / work)
    }
    this.#also.push(also)
  }

  result(scenario: Scenario, subject: Measured): Result {
    const { label, kind } = this.contender
    const figure = median(this.samples)
    const comparison = this === subject ? undefined : compare(this.samples, subject.samples, scenario.better)
    const aim = this === subject ? scenario.aim : this.contender.aim
    return {
      label,
      kind,
      figure,
      samples: this.samples,
      cpu: median(this.#cpu),
      peak: this.#peak,
      wire: this.#bytes.length === 0 ? undefined : { bytes: median(this.#bytes), packets: median(this.#packets) },
      also: Object.fromEntries(
        Object.keys(this.#also[0] ?? {}).map((name) => [name, median(this.#also.map((one) => one[name] ?? 0))])
      ),
      comparison,
      aim,
      met:
        aim === undefined ? undefined : meets(aim, comparison?.ratio ?? figure, comparison ? 'higher' : scenario.better)
    }
  }

  async close(): Promise<void> {
    await this.#side.close?.()
    await this.#meter.close()
  }
}

/** Timeout (ms) for the work of one side, so that a side that hangs does not block the others. */
const patience = 600_000

async function inTime(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`nothing came of it within ${patience / 1_000} s`)), patience)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function meets(aim: number, value: number, better: Scenario['better']): boolean {
  return better === 'higher' ? value >= aim : value <= aim
}

/**
 * Prepares all sides, warms up each once, then measures them in turns: A B C A B C. Noise on the machine then disturbs
 * all sides alike. A side that fails is left out and reported, unless it is p2pl.
 */
export async function runScenario(
  scenario: Scenario,
  context: Omit<Context, 'note' | 'meter'>,
  runs: number = context.quick ? 3 : (scenario.runs ?? 7)
): Promise<Row> {
  const load = loadavg()[0] ?? 0
  const notes = new Set<string>()
  const failures: string[] = []
  const [subject] = scenario.sides
  let measured: Measured[] = []
  const closing: Measured[] = []
  /** Continues without the side that failed. */
  const attempt = async (contender: Contender, work: () => Promise<void>): Promise<void> => {
    try {
      await inTime(work())
    } catch (error) {
      if (contender === subject) throw error
      failures.push(`${contender.label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      measured = measured.filter((one) => one.contender !== contender)
    }
  }
  try {
    for (const contender of scenario.sides)
      await attempt(contender, async () => {
        const meter = new Meter(await Loopback.open())
        const note = (text: string): void => void notes.add(`${contender.label}: ${text}`)
        let side: Side
        try {
          side = await contender.prepare({ ...context, note, meter })
        } catch (error) {
          await meter.close()
          throw error
        }
        const one = new Measured(contender, side, meter)
        closing.push(one)
        measured.push(one)
        await one.warmUp()
      })
    for (let i = 0; i < runs; i++) for (const one of measured) await attempt(one.contender, () => one.run())
    const { name, title, unit, better } = scenario
    const first = measured[0] as Measured
    const results = measured.map((one) => one.result(scenario, first))
    return { name, title, unit, better, load, results, notes: [...notes], failures }
  } finally {
    await Promise.allSettled(closing.map((one) => one.close()))
  }
}
