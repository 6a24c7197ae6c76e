import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'

const children = new Set<ChildProcess>()

afterEach(async () => {
  await Promise.all([...children].map((child) => kill(child)))
})

/** A script of this folder in a process of its own, talked to by questions and answers. */
export interface Remote {
  readonly child: ChildProcess
  ask<T = unknown>(question: string, ...values: unknown[]): Promise<T>
  kill(): Promise<void>
}

export async function spawnScript(name: string, ...values: string[]): Promise<Remote> {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), values, {
    execArgv: ['-C', '@p2pl/source'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  children.add(child)
  let last = 0
  const pending = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', (answer: { id: number; value?: unknown; error?: string }) => {
    const waiting = pending.get(answer.id)
    pending.delete(answer.id)
    if (answer.error === undefined) waiting?.resolve(answer.value)
    else waiting?.reject(new Error(answer.error))
  })
  child.on('exit', () => {
    for (const waiting of pending.values()) waiting.reject(new Error(`${name} has ended`))
    pending.clear()
  })
  return {
    child,
    ask: async <T>(question: string, ...args: unknown[]) => {
      const id = ++last
      const waiting = Promise.withResolvers<unknown>()
      pending.set(id, waiting)
      child.send({ id, question, args })
      return (await waiting.promise) as T
    },
    kill: () => kill(child)
  }
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
