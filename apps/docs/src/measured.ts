import { existsSync } from 'node:fs'
import { read, root } from './repository.ts'
import { join } from 'node:path'

interface Side {
  readonly label: string
  readonly figure: number
}

interface Run {
  readonly date: string
  readonly commit: string
  readonly machine: { readonly node: string; readonly cpus: number; readonly model: string }
  readonly scenarios: readonly { readonly name: string; readonly unit: string; readonly sides: readonly Side[] }[]
}

/** The p2pl columns of the benchmarks, by backend. */
const columns = { helia: 'p2pl', 'ipfs-rpc': 'p2pl ipfs-rpc', bittorrent: 'p2pl bittorrent' }

/** The newest figures of the scenarios that several backends took part in: a table, and its source. */
export function measured(history: string): string {
  const runs = history
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Run)
  const newest = new Map<string, { run: Run; scenario: Run['scenarios'][number] }>()
  for (const run of runs.toSorted((a, b) => (a.date < b.date ? -1 : 1)))
    for (const scenario of run.scenarios)
      if (scenario.sides.filter(({ label }) => label.startsWith('p2pl')).length > 1)
        newest.set(scenario.name, { run, scenario })
  if (newest.size === 0) return 'No run has been recorded yet: `npm run bench -- --history` records one.'

  const rows = [...newest.values()].map(({ scenario: { name, unit, sides } }) => {
    const figures = Object.values(columns).map((label) => sides.find((side) => side.label === label)?.figure)
    return `| ${name} | ${unit} | ${figures.map((figure) => (figure === undefined ? '' : shortened(figure))).join(' | ')} |`
  })
  const sources = new Set([...newest.values()].map(({ run }) => run))
  const notes = [...sources].map(
    ({ date, commit, machine }) =>
      `${date.slice(0, 10)}, commit ${commit}, Node ${machine.node}, ${machine.cpus} × ${machine.model}`
  )
  return [
    `| scenario | unit | ${Object.keys(columns).join(' | ')} |`,
    `|---|---|${'---:|'.repeat(Object.keys(columns).length)}`,
    ...rows,
    '',
    `Measured: ${notes.join('; ')}.`
  ].join('\n')
}

/** Three significant digits. */
function shortened(figure: number): string {
  return Number(figure.toPrecision(3)).toLocaleString('en')
}

/** The table from the repository's recorded figures. */
export function measuredHere(): string {
  const file = 'tooling/bench/history.jsonl'
  return measured(existsSync(join(root, file)) ? read(file) : '')
}
