import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '@p2pl/config'
import { legsOf } from '../choose.ts'
import { type Check, ok } from './check.ts'

/** Clocks of two machines that are set by the network never differ by more than this, in milliseconds. */
const suspicious = 60_000
const farOff = 5 * 60_000
/** No earlier time can be right, since this program did not exist. */
const youngest = Date.UTC(2026, 10, 1)
const timeout = 5_000
const fix = 'set the clock of this machine: timedatectl set-ntp true, or the settings of the system'

/**
 * Compares the wall clock with other times: those of servers that the configuration names, and those of files that were
 * written here earlier. p2pl itself measures no duration by the wall clock, but certificates and signed records depend on
 * it.
 */
export async function checkClock(urls: readonly string[], folder: string): Promise<Check> {
  const now = Date.now()
  if (now < youngest) return fault(youngest - now, 'by the age of this version of p2pl', 'behind')
  const later = await latestFile(folder, now)
  if (later !== undefined && later.by > farOff)
    return fault(later.by, `by the time of ${later.file}, which was written before`, 'behind')
  const answers = await Promise.all(urls.map(async (url) => await offsetOf(url)))
  const [found] = answers.filter((answer) => answer !== undefined).toSorted((a, b) => Math.abs(b.ms) - Math.abs(a.ms))
  if (found === undefined)
    return ok(
      'clock',
      `${new Date(now).toISOString()}; there is no other clock to compare it with (--time-from <url> names one)`
    )
  const distance = Math.abs(found.ms)
  if (distance > suspicious) return fault(distance, `by the answer of ${found.host}`, found.ms > 0 ? 'behind' : 'ahead')
  return ok('clock', `within ${Math.max(1, Math.ceil(distance / 1_000))} s of ${found.host}`)
}

function fault(distance: number, source: string, direction: 'behind' | 'ahead'): Check {
  const status = distance > farOff ? 'fail' : 'warn'
  return { name: 'clock', status, message: `the clock is ${inWords(distance)} ${direction}, ${source}`, fix }
}

/** How far the clock of a server is ahead of this one. Any answer has the time in its `Date` header. */
async function offsetOf(url: string): Promise<{ ms: number; host: string } | undefined> {
  const before = Date.now()
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(timeout) })
    const date = Date.parse(response.headers.get('date') ?? '')
    // The header has whole seconds.
    return Number.isNaN(date) ? undefined : { ms: date + 500 - (before + Date.now()) / 2, host: new URL(url).host }
  } catch {
    return undefined
  }
}

/** The servers that the configuration names: daemons and trackers. */
export function serversOf(config: Config): string[] {
  const urls = legsOf(config).flatMap(({ use, options }) => [
    ...(use === 'ipfs-rpc' && options['daemon'] === undefined ? [options['url'] ?? 'http://127.0.0.1:5001'] : []),
    ...(Array.isArray(options['trackers']) ? (options['trackers'] as unknown[]) : [])
  ])
  return [...new Set(urls.filter((url): url is string => typeof url === 'string' && /^https?:/.test(url)))]
}

async function latestFile(folder: string, now: number): Promise<{ file: string; by: number } | undefined> {
  const names = await readdir(folder).catch(() => [])
  const times = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      return { file: join(folder, name), by: (found?.mtimeMs ?? 0) - now }
    })
  )
  return times.toSorted((a, b) => b.by - a.by)[0]
}

function inWords(ms: number): string {
  const units = [
    ['days', 86_400_000],
    ['hours', 3_600_000],
    ['minutes', 60_000]
  ] as const
  const [name, size] = units.find(([, unit]) => ms >= 1.5 * unit) ?? ['seconds', 1_000]
  return `${Math.round(ms / size)} ${name}`
}
