import { parseArgs } from 'node:util'

export const usage = `usage: npm run bench -- [options]

  --quick           fewer runs and less of everything
  --only <name>     scenarios whose name starts with this; may be given several times
  --side <label>    beside p2pl only sides whose label starts with this; may be given several times
  --runs <n>        measured runs of each side
  --alternatives    installs what a user could take instead of p2pl (260 MB), once; from then on it is measured, too
  --long            growth up to the largest numbers of peers
  --json            one JSON document on stdout instead of a table
  --plots <folder>  an SVG file for each scenario goes to this folder
  --history         appends the medians to tooling/bench/history.jsonl
  --profile <folder>  CPU profiles of all child processes go to this folder
  --list            names the scenarios`

export interface Options {
  readonly quick: boolean
  /** Prefixes of scenario names. */
  readonly only: readonly string[]
  /** Prefixes of side labels. */
  readonly side: readonly string[]
  readonly runs: number | undefined
  readonly alternatives: boolean
  readonly long: boolean
  readonly json: boolean
  readonly plots: string | undefined
  readonly history: boolean
  readonly profile: string | undefined
  readonly list: boolean
  readonly help: boolean
}

/** The options of the command. Throws with a sentence about the wrong option. */
export function parse(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [''] },
      side: { type: 'string', multiple: true, default: [''] },
      runs: { type: 'string' },
      alternatives: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      plots: { type: 'string' },
      history: { type: 'boolean', default: false },
      profile: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const runs = values.runs === undefined ? undefined : Number(values.runs)
  if (runs !== undefined && !(Number.isSafeInteger(runs) && runs > 0))
    throw new Error('--runs takes a whole number over 0')
  return { ...values, profile: values.profile, plots: values.plots, runs }
}
