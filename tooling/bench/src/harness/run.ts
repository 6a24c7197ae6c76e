import { CpuMeter } from './cpu.ts'
import type { Context, Scenario, Side } from './scenario.ts'
import { compare, type Comparison } from './statistics.ts'

export interface Row extends Comparison {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly labels: readonly [baseline: string, subject: string]
  readonly samples: { readonly baseline: readonly number[]; readonly subject: readonly number[] }
  /** Processor milliseconds of all processes for one unit of work. */
  readonly cpu: Comparison
  readonly aim: Scenario['aim']
  /** Whether the aim was reached; absent where there is none. */
  readonly met: boolean | undefined
  readonly notes: readonly string[]
}

class Measured {
  readonly figures: number[] = []
  readonly costs: number[] = []
  readonly side: Side
  readonly #cpu: CpuMeter

  constructor(side: Side, cpu: CpuMeter) {
    this.side = side
    this.#cpu = cpu
  }

  async run(): Promise<void> {
    const before = await this.#cpu.total()
    const { figure, work } = await this.side.run()
    this.figures.push(figure)
    this.costs.push(((await this.#cpu.total()) - before) / work)
  }
}

/** Prepares both sides, warms both up once, then measures them in turns: A B A B. What disturbs one disturbs the other. */
export async function runScenario(
  scenario: Scenario,
  context: Omit<Context, 'note' | 'cpu'>,
  runs: number = context.quick ? 3 : (scenario.runs ?? 7)
): Promise<Row> {
  const notes = new Set<string>()
  const prepared: Measured[] = []
  const prepare = async (from: Scenario['baseline']): Promise<Measured> => {
    const cpu = new CpuMeter()
    const side = new Measured(await from.prepare({ ...context, note: (text) => void notes.add(text), cpu }), cpu)
    prepared.push(side)
    return side
  }
  try {
    const baseline = await prepare(scenario.baseline)
    const subject = await prepare(scenario.subject)
    await baseline.side.run()
    await subject.side.run()
    for (let i = 0; i < runs; i++) {
      await baseline.run()
      await subject.run()
    }
    const comparison = compare(baseline.figures, subject.figures, scenario.better)
    return {
      name: scenario.name,
      title: scenario.title,
      unit: scenario.unit,
      labels: [scenario.baseline.label, scenario.subject.label],
      ...comparison,
      samples: { baseline: baseline.figures, subject: subject.figures },
      cpu: compare(baseline.costs, subject.costs, 'lower'),
      aim: scenario.aim,
      met: meets(scenario, comparison),
      notes: [...notes]
    }
  } finally {
    await Promise.allSettled(prepared.map(({ side }) => side.close()))
  }
}

function meets({ aim, better }: Scenario, { ratio, subject }: Comparison): boolean | undefined {
  if (aim === undefined) return undefined
  if ('ratio' in aim) return ratio >= aim.ratio
  return better === 'higher' ? subject >= aim.value : subject <= aim.value
}
