import { readFileSync } from 'node:fs'

const killGrace = 5_000

/** Ends a process that is not our child: SIGTERM, then SIGKILL after `grace` milliseconds. */
export async function endProcess(pid: number, grace: number): Promise<void> {
  const start = performance.now()
  if (!sendSignal(pid, 'SIGTERM')) return
  // A stopped process handles SIGTERM only after it continues.
  sendSignal(pid, 'SIGCONT')
  for (let killed = false; isAlive(pid);) {
    const waited = performance.now() - start
    if (!killed && waited > grace) {
      killed = true
      sendSignal(pid, 'SIGKILL')
    }
    if (waited > grace + killGrace) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A process that has ended but was not waited for. In containers without an init it stays in the process list for ever. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
