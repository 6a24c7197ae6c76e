import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Context } from './scenario.ts'
import type { Usage } from './usage.ts'

/** The default export of a module that runs in a child: given options, it resolves with methods to call. */
export type Role<Options, Methods> = (options: Options) => Promise<Methods>

/** The methods of a role, called from another process. Arguments and results cross as structured clones. */
export type Remote<Methods> = {
  [K in keyof Methods]: Methods[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => Promise<R> : never
}

export interface Child<Methods> {
  readonly call: Remote<Methods>
  close(): Promise<void>
}

/** Asks a child for its usage. */
export const usageRequest = '#usage'

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** Starts a separate process for a role. Resolves when the role is ready. */
export async function startChild<Methods extends object>(
  role: URL,
  options: object,
  context: Pick<Context, 'profile' | 'meter'>
): Promise<Child<Methods>> {
  const profiling = context.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', context.profile]
  const words = [process.execPath, '-C', '@p2pl/source', ...profiling]
  const [execPath, ...execArgv] = context.meter.loopback?.inside(...words) ?? words
  const child = fork(fileURLToPath(new URL('./child-main.ts', import.meta.url)), [role.href], {
    execPath: execPath as string,
    execArgv,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let ids = 0
  child.on('message', (message) => {
    const { id, value, error } = message as Answer
    const waiting = pending.get(id)
    pending.delete(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of pending.values()) reject(new Error(`the child ended (${signal ?? code})`))
    pending.clear()
  })
  const request = (method: string, args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ids++
      if (!child.connected) {
        reject(new Error('the child has ended'))
        return
      }
      pending.set(id, { resolve, reject })
      child.send({ id, method, args }, (error) => {
        if (error !== null) reject(error)
      })
    })
  let close: () => Promise<void>
  try {
    await request('', [options])
    // Usage before the role was ready does not count.
    const usage = async (): Promise<Usage> => (await request(usageRequest, [])) as Usage
    const before = await usage()
    close = context.meter.add(
      async () => {
        const { cpu, peak } = await usage()
        return { cpu: cpu - before.cpu, peak }
      },
      () => end(child)
    )
  } catch (error) {
    child.kill()
    throw error
  }
  return {
    call: new Proxy({} as Remote<Methods>, {
      get: (_, method) => (typeof method === 'string' ? (...args: unknown[]) => request(method, args) : undefined)
    }),
    close
  }
}

/** The child exits when its channel closes. If it does not, it is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    if (child.connected) child.disconnect()
  })
}
