import type { PeerInfo } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { listen, ready, say, started } from './helper.ts'
import { spawnScript } from './process.ts'

const topic = 'flooded'

test.each<[string, string, number, boolean]>([
  ['pings', '/ipfs/ping/1.0.0', 500_000, false],
  ['pings', '/ipfs/ping/1.0.0', 2_000_000, true],
  ['pieces', '/ipfs/ping/1.0.0', 100_000, false],
  ['pieces', '/ipfs/bitswap/1.2.0', 100_000, false],
  ['pieces', '/ipfs/lan/kad/1.0.0', 100_000, false],
  ['window updates', '/ipfs/bitswap/1.2.0', 300_000, false],
  ['new streams', '/ipfs/bitswap/1.2.0', 100_000, false]
])('a flood of Yamux frames (%s on %s, %i) stops nobody; answers unread: %s', async (kind, protocol, count, deaf) => {
  const victim = spawnScript('victim.process.ts', '{}')
  const self = await victim.ask<PeerInfo>('start')
  await victim.ask('listen', topic)
  const honest = await started()
  await honest.routing.connect(self)
  await listen(honest, topic)
  await ready(honest, topic)
  const flooder = spawnScript('flooder.process.ts')
  const { id } = await flooder.ask<PeerInfo>('start')
  await victim.ask('watch')
  const attacking = flooder.ask('yamux', self.addresses[0], protocol, kind, count, deaf)
  await say(honest, topic, 'during')
  await until('the honest message', async () => (await victim.ask<string[]>('heard')).includes('during'))
  await attacking
  const attackerStays = async (): Promise<boolean> => (await victim.ask<string[]>('connections')).includes(id)
  if (deaf) await until('the attacker is out', async () => !(await attackerStays()))
  else expect(await attackerStays()).toBe(true)
  await say(honest, topic, 'after')
  await until('the honest peer is still heard', async () => (await victim.ask<string[]>('heard')).includes('after'))
  const { worst } = await victim.ask<{ worst: number }>('seen')
  expect(worst).toBeLessThan(100)
})
