import { join } from 'node:path'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { type Lab, openLab } from '../src/index.ts'
import { describeInNetwork, isLong, note } from '../src/test-network.ts'
import { type LedgerPlace, startLedgers, transferred } from './ledgers.ts'

/** From the change of the address until both nodes have the same root. */
const deadline = 60_000
/** A daemon notices a dead connection by the keep-alive of its multiplexer, after up to 40 s. */
const kuboDeadline = 100_000

describeInNetwork('a ledger on two hosts, of which one changes its address', () => {
  const folder = temporaryFolder('p2pl-roaming-')
  let lab: Lab

  afterEach(async () => await lab.close())

  async function roam(
    name: string,
    places: readonly Omit<LedgerPlace, 'host'>[],
    mover: number,
    rounds: number,
    limit: number
  ): Promise<void> {
    lab = await openLab()
    const hosts = [await lab.host('a', '10.0.0.1'), await lab.host('b', '10.1.0.1')] as const
    const nodes = await startLedgers(
      join(folder, name),
      hosts.map((host, i) => ({ host, ...places[i] }))
    )
    await transferred(nodes, nodes[0]!, limit)
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      await hosts[mover]!.move(`10.${mover}.0.${round + 2}`)
      took.push(await transferred(nodes, nodes[round % 2]!, limit))
    }
    note(`${name}, one root again after`, took)
    expect(took).toHaveLength(rounds)
  }

  const times = isLong ? 10 : 2
  it(
    `${times} times, converges each time`,
    async () => {
      await roam('helia', [{}, {}], 1, times, deadline)
    },
    (times + 2) * deadline
  )

  if (isLong)
    describeWithKubo('with Kubo on the other', (binary) => {
      it.each(['kubo', 'helia'])(
        'and %s moves five times, converges each time',
        async (mover) => {
          const daemon = JSON.stringify({ repo: join(folder, `${mover}-repo`), binary })
          const kubo = {
            backend: 'ipfs-rpc',
            env: { P2PL_BACKEND: 'ipfs-rpc', P2PL_BACKEND__OPTIONS__DAEMON: daemon }
          } as const
          const helia = {
            backend: 'helia',
            env: { P2PL_BACKEND: 'helia', P2PL_BACKEND__OPTIONS__GOSSIP__PACING: '10' }
          } as const
          await roam(`${mover} moves`, [kubo, helia], mover === 'kubo' ? 0 : 1, 5, kuboDeadline)
        },
        7 * kuboDeadline
      )
    })
})
