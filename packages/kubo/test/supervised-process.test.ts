import { expect, it } from 'vitest'
import { SupervisedProcess } from '../src/daemon/supervised-process.ts'

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
