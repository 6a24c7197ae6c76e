import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, it } from 'vitest'
import { type Lab, openLab } from '../src/index.ts'
import { describeInNetwork, isLong, note } from '../src/test-network.ts'
import { heard, reachable, say, startHelia, startKubo, talk, type Talker } from './talkers.ts'

const deadline = 60_000
/** A daemon notices a dead connection by the keep-alive of its multiplexer, after up to 40 s. */
const kuboDeadline = 100_000
/** These tests are about the length of a cut. */
const cutFor = 15_000
const said = 10

describeInNetwork('two peers, of which one hears nothing of the other for 15 s', () => {
  let lab: Lab

  afterEach(async () => await lab.close())

  async function cut(name: string, a: Talker, b: Talker, deafOne: Talker, limit: number): Promise<void> {
    await b.ask('connect', [await reachable(a)])
    await talk(a, b, 'before', limit)
    const heal = await deafOne.host.dropFrom((deafOne === a ? b : a).host)
    const over = sleep(cutFor)
    for (let i = 0; i < said; i++) await Promise.all([say(a, `a ${i}`), say(b, `b ${i}`)])
    await over
    const start = performance.now()
    await heal()
    await talk(a, b, 'after', limit)
    note(`${name}, messages both ways again after`, [performance.now() - start])
    for (const [to, speaker] of [
      [a, 'b'],
      [b, 'a']
    ] as const) {
      // A hole in a sender's sequence numbers becomes a gap when nothing fills it for a while.
      await until(
        'each message is there, or a gap is',
        async () => {
          const texts = await Promise.all(Array.from({ length: said }, (_, i) => heard(to, `${speaker} ${i}`)))
          return texts.every(Boolean) || (await to.ask<number>('gaps')) > 0
        },
        limit
      )
    }
  }

  it.each(isLong ? ['dialler', 'listener'] : ['dialler'])(
    'the %s: they hear each other again, and nothing is lost without a gap',
    async (deaf) => {
      lab = await openLab()
      const [a, b] = [startHelia(await lab.host('a', '10.0.0.1')), startHelia(await lab.host('b', '10.0.0.2'))]
      await cut(`the ${deaf} heard nothing`, a, b, deaf === 'dialler' ? b : a, deadline)
    },
    cutFor + 3 * deadline
  )

  if (isLong)
    describeWithKubo('with Kubo', (binary) => {
      const folder = temporaryFolder('p2pl-cuts-')

      it.each([
        ['kubo', 'kubo'],
        ['kubo', 'helia'],
        ['helia', 'kubo'],
        ['helia', 'helia']
      ])(
        'where %s dials and %s hears nothing: they hear each other again, and nothing is lost without a gap',
        async (dials, deaf) => {
          lab = await openLab()
          const [hostOfHelia, hostOfKubo] = [await lab.host('a', '10.0.0.1'), await lab.host('b', '10.0.0.2')]
          const helia = startHelia(hostOfHelia, { gossip: { pacing: 20 } })
          const kubo = startKubo(hostOfKubo, join(folder, `${dials}-${deaf}`), binary)
          const [a, b] = dials === 'kubo' ? [helia, kubo] : [kubo, helia]
          await cut(`${dials} dials, ${deaf} heard nothing`, a, b, deaf === 'kubo' ? kubo : helia, kuboDeadline)
        },
        cutFor + 3 * kuboDeadline
      )
    })
})
