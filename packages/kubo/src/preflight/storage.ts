import type { P2plError } from '@p2pl/core/backend'
import type { PreflightCheck } from './check.ts'

export const gigabyte = 1_000_000_000

/** `stat`: the answer to `repo/stat`. `system`: the answer to `diag/sys`, if that call is allowed. */
export function checkStorage(stat: Record<string, unknown> | P2plError, system: unknown): PreflightCheck {
  const name = 'storage'
  if (stat instanceof Error)
    return { name, status: 'warn', message: `the daemon does not say how full it is: ${stat.message}` }
  const [size, max] = [Number(stat['RepoSize']), Number(stat['StorageMax'])]
  const left = (system as { diskinfo?: { free_space?: unknown } } | null)?.diskinfo?.free_space
  const disk = typeof left === 'number' ? `, ${inGigabytes(left)} are left on the disk` : ''
  const message = `${inGigabytes(size)} of ${inGigabytes(max)} are used${disk}`
  const fix = 'ipfs repo gc, or ipfs config Datastore.StorageMax 50GB'
  if (max > 0 && size > max) return { name, status: 'fail', message, fix }
  if (max > 0 && size > 0.9 * max) return { name, status: 'warn', message, fix }
  if (typeof left === 'number' && left < gigabyte)
    return { name, status: 'warn', message, fix: 'make room on the disk of the repo' }
  return { name, status: 'ok', message }
}

function inGigabytes(bytes: number): string {
  return `${(bytes / gigabyte).toFixed(2)} GB`
}
