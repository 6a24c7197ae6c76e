import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type Ask, askerOf } from './remote.ts'

/** A script in a separate process that answers questions. It is killed after the test. */
export interface RemoteScript {
  readonly child: ChildProcess
  readonly ask: Ask
  kill(): Promise<void>
}

/** Starts a module that calls `answer` of `@p2pl/tooling-vitest/answer`. */
export function spawnScript(script: URL, ...values: readonly string[]): RemoteScript {
  const child = fork(fileURLToPath(script), values, {
    execArgv: ['-C', '@p2pl/source'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  onTestFinished(async () => await kill(child))
  return {
    child,
    ask: askerOf(child, script.pathname),
    kill: async () => await kill(child)
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
