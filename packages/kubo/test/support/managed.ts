import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach } from 'vitest'
import { isAlive } from '../../src/daemon/processes.ts'
import { readRecord } from '../../src/daemon/record.ts'
import { type DaemonOptions, Kubo, type KuboEvent } from '../../src/index.ts'

/** Managed daemons of one test file, each on a repo of its own; all are stopped after each test. */
export interface ManagedDaemons {
  readonly folder: string
  /** What the daemons of this test have reported. */
  readonly events: KuboEvent[]
  readonly newRepo: () => string
  /** `probeTimeout`: of a daemon that is meant to hang; otherwise longer than a busy one needs to answer a look. */
  readonly start: (daemon: DaemonOptions, probeTimeout?: number) => Promise<Kubo>
  /** Starts a daemon in a process of its own, which then runs `script`, and resolves when it runs. */
  readonly startElsewhere: (
    repo: string,
    options?: { env?: NodeJS.ProcessEnv; script?: string }
  ) => Promise<ChildProcess>
}

export function managedDaemons(binary: string): ManagedDaemons {
  const folder = temporaryFolder('p2pl-managed-')
  const events: KuboEvent[] = []
  const running: Kubo[] = []
  let count = 0
  afterEach(async () => {
    events.length = 0
    await Promise.all(running.splice(0).map(async (kubo) => await kubo.stop()))
  })
  return {
    folder,
    events,
    newRepo: () => join(folder, String(count++)),
    start: async (daemon, probeTimeout = 20_000) => {
      const kubo = new Kubo({ daemon: { binary, ...daemon }, probeInterval: 200, probeTimeout })
      running.push(kubo)
      await kubo.start({ onEvent: (event) => events.push(event) })
      return kubo
    },
    startElsewhere: async (repo, { env = {}, script: more = 'setInterval(() => {}, 1e6)' } = {}) => {
      const script = `import { Kubo } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
        await new Kubo({ daemon: ${JSON.stringify({ repo, binary })} }).start(); console.log('running'); ${more}`
      const child = spawn(process.execPath, ['-C', '@p2pl/source', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...env }
      })
      await new Promise<void>((resolve, reject) => {
        child.stdout?.on('data', () => resolve())
        child.on('close', () => reject(new Error('the child ended early')))
      })
      return child
    }
  }
}

export function recordOf(repo: string): { pid: number; supervisorPid: number; guardPid: number } {
  const { pid, supervisorPid, guardPid } = readRecord(repo) ?? {}
  if (pid === undefined || supervisorPid === undefined || guardPid === undefined) throw new Error('no daemon')
  return { pid, supervisorPid, guardPid }
}

export function configOf(repo: string): Record<string, Record<string, unknown>> {
  return JSON.parse(readFileSync(join(repo, 'config'), 'utf8')) as Record<string, Record<string, unknown>>
}

export async function gone(pid: number): Promise<void> {
  await until(`process ${pid} is gone`, () => !isAlive(pid))
}

export async function standsStill(pid: number): Promise<void> {
  await until(`process ${pid} stands still`, () =>
    execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')
  )
}

/** None of them lives to see the end of another one. */
export async function killAtOnce(...pids: readonly (number | undefined)[]): Promise<void> {
  const all = pids.filter((pid) => pid !== undefined)
  for (const pid of all) process.kill(pid, 'SIGSTOP')
  for (const pid of all) await standsStill(pid)
  for (const pid of all) process.kill(pid, 'SIGKILL')
}

/** The answer to a call without a body. */
export async function ask(
  { rpc }: Kubo,
  path: string,
  parameters: Record<string, string> = {}
): Promise<Record<string, unknown>> {
  const answer = await rpc.request({ operation: path, lane: 'store' }, { path, query: new URLSearchParams(parameters) })
  return await answer.json()
}
