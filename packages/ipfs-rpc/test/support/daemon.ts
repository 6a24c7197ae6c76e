import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The process of the daemon on a managed repo. */
export function daemonOf(repo: string): number {
  const { pid } = JSON.parse(readFileSync(join(repo, 'p2pl', 'daemon.json'), 'utf8')) as { pid?: number }
  if (pid === undefined) throw new Error(`no daemon runs on ${repo}`)
  return pid
}
