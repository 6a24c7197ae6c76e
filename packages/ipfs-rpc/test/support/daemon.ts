import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '@p2pl/core/backend'

/** The process of the daemon on a managed repo. */
export function daemonOf(repo: string): number {
  const { pid } = JSON.parse(readFileSync(join(repo, 'p2pl', 'daemon.json'), 'utf8')) as { pid?: number }
  if (pid === undefined) throw new Error(`no daemon runs on ${repo}`)
  return pid
}

/** Connects one backend to another. */
export async function link(from: Backend, to: Backend): Promise<void> {
  for (const peer of to.self()) await from.routing?.connect(peer)
}

export async function errorOf(call: Promise<unknown> | undefined): Promise<unknown> {
  return await Promise.resolve(call).then(
    (value) => new Error(`it resolved with ${String(value)}`),
    (error: unknown) => error
  )
}
