import type { PeerInfo } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { ready, started } from './helper.ts'
import { spawnScript } from './process.ts'

test.each([
  [10_000, 256],
  [3_000, 16_384]
])('%i messages of %i bytes, one after the other, all arrive, and timers run meanwhile', async (count, size) => {
  const remote = spawnScript('victim.process.ts', '{}')
  const self = await remote.ask<PeerInfo>('start')
  await remote.ask('listen', 'burst')
  const node = await started()
  await node.routing.connect(self)
  await ready(node, 'burst')
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  const payload = Buffer.alloc(size, 0x78)
  for (let i = 0; i < count; i++) {
    payload.write(String(i).padStart(8))
    expect((await node.messages.publish('burst', payload)).recipients).toBe(1)
  }
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(20)
  const heard = async (): Promise<number> => (await remote.ask<{ texts: number }>('seen')).texts
  await until('all of them', async () => (await heard()) >= count)
  expect(await heard()).toBe(count)
})
