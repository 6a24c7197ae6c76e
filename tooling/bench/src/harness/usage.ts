import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** Processor milliseconds, user and system. */
  readonly cpu: number
  /** The most memory that one process has held, in MiB. */
  readonly peak: number
}

/** What this process, and on Linux each of its children, has used since its start. */
export function usage(): Usage {
  const { user, system } = process.cpuUsage()
  // The peak from getrusage includes the process that forked this one.
  const own = { cpu: (user + system) / 1_000, peak: peakOf('self') ?? process.resourceUsage().maxRSS / 1_024 }
  return children().reduce(
    (sum, pid) => ({ cpu: sum.cpu + ticksOf(pid) * 10, peak: Math.max(sum.peak, peakOf(pid) ?? 0) }),
    own
  )
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function peakOf(pid: string): number | undefined {
  const kibibytes = /^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1_024
}

/** User and system time in hundredths of a second: fields 14 and 15, counted after the name, which may contain spaces. */
function ticksOf(pid: string): number {
  const fields = (read(`/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

function children(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/task').flatMap((task) =>
    (read(`/proc/self/task/${task}/children`) ?? '').split(' ').filter((pid) => pid !== '')
  )
}
