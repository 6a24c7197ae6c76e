import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Place {
  /** The folder of the peers. */
  readonly dir: string
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
  /** The user that runs it. */
  readonly uid?: number | undefined
}

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How Node runs the program from its sources. */
export const program: readonly string[] = ['-C', '@p2pl/source', fileURLToPath(new URL('p2pl.ts', import.meta.url))]

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts the program. */
export function launch({ dir, env = {}, cwd, uid }: Place, args: readonly string[]): Child {
  return spawn(process.execPath, [...program, ...args], {
    cwd: cwd ?? dir,
    env: { ...process.env, P2PL_DIR: dir, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A test that has timed out leaves nothing running.
    timeout: 170_000,
    killSignal: 'SIGKILL',
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
}

/** Runs a command to its end, with this input. */
export async function p2pl(place: Place, args: readonly string[], input: string | Uint8Array = ''): Promise<Result> {
  const child = launch(place, args)
  const written: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data: Buffer) => written[name].push(data))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  const text = (name: 'stdout' | 'stderr'): string => Buffer.concat(written[name]).toString()
  return { code, stdout: text('stdout'), stderr: text('stderr') }
}

export function parse(lines: string): unknown[] {
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown)
}
