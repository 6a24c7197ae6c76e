import { rm } from 'node:fs/promises'
import process from 'node:process'
import { isAlive } from '@p2pl/cli/tools'
import { readIfThere, writeDurably } from './files.ts'

/** How to reach the node that runs in a folder. It contains a secret, so only the owner may read the file (mode 0600). */
export interface ApiAccess {
  readonly url: string
  readonly token: string
  readonly pid: number
}

/** The state that the file of a folder gives. A file of a process that has ended counts as `none`. */
export type ApiState =
  | { readonly state: 'none' | 'damaged' | 'starting' }
  | { readonly state: 'ready'; readonly access: ApiAccess }

export async function writeApiFile(path: string, access: ApiAccess): Promise<void> {
  await writeDurably(path, `${JSON.stringify(access)}\n`, 0o600)
}

/** Marks that a node is starting. Returns `false`, and writes nothing, when another node has the file. */
export async function writeStarting(path: string): Promise<boolean> {
  const found = await readApiState(path)
  if (found.state === 'ready' || found.state === 'starting') return false
  await writeDurably(path, `${JSON.stringify({ pid: process.pid, starting: true })}\n`, 0o600)
  return true
}

export async function removeApiFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** Reads how to reach the running node, from its file. */
export async function readApiFile(path: string): Promise<ApiAccess | undefined> {
  const found = await readApiState(path)
  return found.state === 'ready' ? found.access : undefined
}

export async function readApiState(path: string): Promise<ApiState> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return { state: 'none' }
  const { url, token, pid, starting } = parse(Buffer.from(bytes).toString('utf8'))
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return { state: 'damaged' }
  if (!isAlive(pid)) return { state: 'none' }
  if (starting === true) return { state: 'starting' }
  if (typeof url !== 'string' || !URL.canParse(url) || typeof token !== 'string') return { state: 'damaged' }
  return { state: 'ready', access: { url, token, pid } }
}

function parse(text: string): Partial<Record<keyof ApiAccess | 'starting', unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
