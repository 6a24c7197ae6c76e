import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { now } from '../roles/timing.ts'
import type { Context, Kind, Side } from './scenario.ts'
import type { Usage } from './usage.ts'

// A program of a few lines, as a user would write it. It is plain JavaScript and imports the published packages, so
// that no types have to be stripped first.

const built = fileURLToPath(new URL('../../../../packages/helia/dist', import.meta.url))
/** How long (ms) a ready process stays idle before its memory is read. */
const idle = 2_000

/** `imports` evaluates to modules; `start` uses them as `m`. */
export interface Program {
  readonly label: string
  readonly kind: Kind
  readonly aim?: number
  readonly imports: string
  readonly start: string
}

interface ProgramOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Where the time begins: at the spawn of the process (default), or at the end of its imports. */
  readonly from?: 'spawn' | 'imported' | undefined
  /** Does not use a separate loopback interface, because the program has to reach something outside. */
  readonly shared?: boolean | undefined
}

interface Report {
  readonly imported: number
  readonly ready: number
  readonly importing: number
  readonly usage: Usage
}

const source = ({ imports, start }: Program): string => `
  const now = () => Number(process.hrtime.bigint()) / 1e6
  const before = now()
  const m = await Promise.all(${imports})
  const imported = now()
  ${start}
  const ready = now()
  setTimeout(() => {
    const { user, system } = process.cpuUsage()
    const usage = { cpu: (user + system) / 1e3, peak: process.memoryUsage.rss() / 2 ** 20 }
    process.send({ imported, ready, importing: imported - before, usage })
  }, ${idle})
  process.on('disconnect', () => process.exit())`

/** Starts the program again for each run. */
export async function starting(
  program: Program,
  { cwd, env, from = 'spawn', shared = false }: ProgramOptions,
  context: Context
): Promise<Side> {
  const isBuilt = existsSync(built)
  if (program.imports.includes('@p2pl/') && !isBuilt)
    context.note('ran from source, which costs as much again: build the packages first (npx turbo run build)')
  let total: Usage = { cpu: 0, peak: 0 }
  context.meter.add(async () => total)
  return {
    run: async () => {
      const words = [process.execPath, ...(isBuilt ? [] : ['-C', '@p2pl/source']), '--input-type=module', '--eval']
      const folder = await mkdtemp(join(context.folder, 'start-'))
      const [execPath, ...execArgv] = (shared ? undefined : context.meter.loopback?.inside(...words)) ?? words
      const begin = now()
      const child = fork(source(program), {
        execPath: execPath as string,
        execArgv,
        cwd,
        env: { ...process.env, BENCH_FOLDER: folder, ...env }
      })
      const [report] = (await once(child, 'message')) as [Report]
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
      total = { cpu: total.cpu + report.usage.cpu, peak: report.usage.peak }
      return {
        figure: report.ready - (from === 'spawn' ? begin : report.imported),
        work: 1,
        also: { 'import ms': report.importing, 'idle MiB': report.usage.peak }
      }
    }
  }
}
