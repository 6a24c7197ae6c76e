import { join } from 'node:path'
import type { StatusView } from '@p2pl/ledger'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { type Lab, openLab } from '../src/index.ts'
import { describeInNetwork, isLong, note } from '../src/test-network.ts'
import { startLedgers, transferred } from './ledgers.ts'
import { reachable, startHelia, talk } from './talkers.ts'

const deadline = 60_000

describeInNetwork('connections that are reset, or made twice', () => {
  const folder = temporaryFolder('p2pl-connections-')
  let lab: Lab

  afterEach(async () => await lab.close())

  const resets = isLong ? 20 : 3
  it(
    `reset ${resets} times while both nodes of a ledger write: all entries are on both`,
    async () => {
      lab = await openLab()
      const [a, b] = [await lab.host('a', '10.0.0.1'), await lab.host('b', '10.0.0.2')]
      const nodes = await startLedgers(join(folder, 'reset'), [{ host: a }, { host: b }])
      const linked = async (): Promise<boolean> =>
        (await Promise.all(nodes.map(({ ask }) => ask<StatusView>('status')))).every(
          ({ connections }) => connections > 0
        )
      let written = 0
      const ends = new AbortController()
      const writing = Promise.all(
        nodes.map(async (node, i) => {
          for (; !ends.signal.aborted; written++) await node.ask('transfer', nodes[1 - i]!.account)
        })
      )
      for (let i = 0; i < resets; i++) {
        const heal = await [a, b][i % 2]!.resetFrom([b, a][i % 2]!)
        await until('the connection is gone', async () => !(await linked()), deadline)
        await heal()
        await until('the connection is back', linked, deadline)
      }
      ends.abort()
      await writing
      note(`${resets} resets, one root after the last`, [await transferred(nodes, nodes[0]!, deadline)])
      const { entries, rejected } = await nodes[1]!.ask<StatusView>('status')
      expect({ entries, rejected }).toEqual({ entries: written + 1, rejected: 0 })
    },
    (2 * resets + 3) * deadline
  )

  it(
    'made by both at once, over two addresses each, carry every message once, again after a reset',
    async () => {
      lab = await openLab()
      const hosts = [await lab.host('a', '10.0.0.1'), await lab.host('b', '10.0.0.2')] as const
      const second = ['10.0.1.1', '10.0.1.2'] as const
      await Promise.all(hosts.map((host, i) => host.addAddress(second[i]!)))
      const [a, b] = [startHelia(hosts[0]), startHelia(hosts[1])]
      const [wayToA, wayToB] = [await reachable(a, second[0]), await reachable(b, second[1])]
      for (const round of ['first', 'second', 'third']) {
        // Each side keeps its connection to the other: after a reset both dial again at the same moment.
        await Promise.all([a.ask('connect', [wayToB]), b.ask('connect', [wayToA])])
        await talk(a, b, round, deadline)
        await Promise.all([a, b].map(({ ask }) => ask('say', `${round} once`)))
        await talk(a, b, `${round} end`, deadline)
        for (const { ask } of [a, b]) {
          const texts = await ask<string[]>('heard')
          expect(texts.filter((text) => text === `${round} once`).length).toBe(1)
        }
        const heals = await Promise.all([hosts[0].resetFrom(hosts[1]), hosts[1].resetFrom(hosts[0])])
        await until(
          'both know',
          async () => (await a.ask<number>('connections')) === 0 && (await b.ask<number>('connections')) === 0
        )
        await Promise.all(heals.map((heal) => heal()))
      }
    },
    8 * deadline
  )
})
