import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The process that holds `repo.lock`. Only Linux tells. On other systems the daemon itself refuses a second instance. */
export function lockHolder(repo: string): number | undefined {
  try {
    const { ino } = statSync(join(repo, 'repo.lock'))
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const fields = /^\d+:\s+\S+\s+\S+\s+WRITE\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line)
      if (fields !== null && Number(fields[2]) === ino) return Number(fields[1])
    }
  } catch {
    // There is no lock file, or the system has no list of locks.
  }
  return undefined
}
