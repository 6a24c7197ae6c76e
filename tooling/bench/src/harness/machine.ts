import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What the figures depend on. */
export interface Machine {
  readonly node: string
  readonly cpus: number
  readonly model: string
  /** GiB. */
  readonly memory: number
  /** Load of the last minute, before the benchmark starts anything. */
  readonly load: number
}

export function describeMachine(): Machine {
  return {
    node: process.version,
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memory: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0] ?? 0
  }
}

/** The measured commit, with a plus if files differ from it; `unknown` outside a repository. */
export function describeCommit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    )
  } catch {
    return 'unknown'
  }
}
