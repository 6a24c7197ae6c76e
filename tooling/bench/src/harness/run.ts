import type { Context, Scenario, Side } from './scenario.ts'
import { compare, type Comparison } from './statistics.ts'

export interface Row extends Comparison {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly labels: readonly [baseline: string, subject: string]
  readonly samples: { readonly baseline: readonly number[]; readonly subject: readonly number[] }
  readonly aim: Scenario['aim']
  readonly met: boolean
  readonly notes: readonly string[]
}

/** Prepares both sides, warms both up once, then measures them in turns: A B A B. What disturbs one disturbs the other. */
export async function runScenario(
  scenario: Scenario,
  context: Omit<Context, 'note'>,
  runs: number = context.quick ? 3 : (scenario.runs ?? 7)
): Promise<Row> {
  const notes: string[] = []
  const noting: Context = { ...context, note: (text) => void (notes.includes(text) || notes.push(text)) }
  const sides: Side[] = []
  try {
    for (const side of [scenario.baseline, scenario.subject]) sides.push(await side.prepare(noting))
    const samples: [number[], number[]] = [[], []]
    for (const side of sides) await side.run()
    for (let i = 0; i < runs; i++) for (const [at, side] of sides.entries()) samples[at as 0 | 1].push(await side.run())
    const comparison = compare(samples[0], samples[1], scenario.better)
    return {
      name: scenario.name,
      title: scenario.title,
      unit: scenario.unit,
      labels: [scenario.baseline.label, scenario.subject.label],
      ...comparison,
      samples: { baseline: samples[0], subject: samples[1] },
      aim: scenario.aim,
      met: meets(scenario, comparison),
      notes
    }
  } finally {
    await Promise.allSettled(sides.map((side) => side.close()))
  }
}

function meets({ aim, better }: Scenario, { ratio, subject }: Comparison): boolean {
  if ('ratio' in aim) return ratio >= aim.ratio
  return better === 'higher' ? subject >= aim.value : subject <= aim.value
}
