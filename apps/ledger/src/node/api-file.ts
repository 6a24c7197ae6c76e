import { readFile, rm } from 'node:fs/promises'
import { writeDurably } from './home.ts'

/** How to reach the node that runs in a folder. Holds a secret: only the owner may read it (mode 0600). */
export interface ApiAccess {
  readonly url: string
  readonly token: string
  readonly pid: number
}

export async function writeApiFile(path: string, access: ApiAccess): Promise<void> {
  await writeDurably(path, `${JSON.stringify(access)}\n`, 0o600)
}

export async function removeApiFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** The file of a node that runs; absent when there is none, or when it is left over from a process that has ended. */
export async function readApiFile(path: string): Promise<ApiAccess | undefined> {
  let access: unknown
  try {
    access = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof access !== 'object' || access === null) return undefined
  const { url, token, pid } = access as Partial<Record<keyof ApiAccess, unknown>>
  if (typeof url !== 'string' || typeof token !== 'string' || typeof pid !== 'number') return undefined
  return isAlive(pid) ? { url, token, pid } : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
