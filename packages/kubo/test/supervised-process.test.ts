import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { SupervisedProcess } from '../src/daemon/supervised-process.ts'

const folder = temporaryFolder('p2pl-supervised-')

it.skipIf(process.platform === 'win32')(
  'a process that says at once that it is ready is known by its id when that is heard',
  async () => {
    // Its words come by a pipe, and its id by another channel, often later.
    for (let round = 0; round < 5; round++) {
      const supervised = new SupervisedProcess(['sh', '-c', 'echo ready; exec sleep 60'], process.env, 1_000)
      expect(await supervised.printed('ready')).toBe(true)
      expect(supervised.pid).toBeGreaterThan(0)
      await supervised.stop()
    }
  }
)

it('where no process can be made, it has ended and says why', async () => {
  const { execPath } = process
  process.execPath = join(folder, 'no-node')
  try {
    const supervised = new SupervisedProcess(['sh'], process.env, 1_000)
    expect(await supervised.exited).toEqual({
      code: null,
      signal: null,
      output: expect.stringContaining('ENOENT') as unknown
    })
  } finally {
    process.execPath = execPath
  }
})

it.runIf(process.platform === 'linux')(
  'its last words and its exit code are known when its end is told, also where it is noticed before they are read',
  async () => {
    const may = join(folder, 'may-end')
    const script = `echo ready; until [ -e '${may}' ]; do sleep 0.01; done; echo last words; exit 3`
    const supervised = new SupervisedProcess(['sh', '-c', script], process.env, 1_000)
    expect(await supervised.printed('ready')).toBe(true)
    // Node looks for all ended children at once, so the ends of both processes are noticed in the same turn.
    const other = spawn('sh', ['-c', 'read line; echo over'], { stdio: ['pipe', 'pipe', 'ignore'] })
    other.stdout.once('data', () => {
      writeFileSync(may, '')
      standStillUntilDead(supervised.supervisorPid)
    })
    const ended = once(other, 'exit')
    other.stdin.write('go\n')
    standStillUntilDead(other.pid)
    await ended
    expect(await supervised.exited).toEqual({ code: 3, signal: null, output: 'ready\nlast words\n' })
  }
)

/** This process stands still until the other one has ended, and its parent could have been told. */
function standStillUntilDead(pid: number | undefined): void {
  const dead = (): boolean => /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  while (!dead()) pause(5)
  pause(50)
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
