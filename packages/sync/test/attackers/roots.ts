import { randomInteger } from '@p2pl/simulator'
import type { Ending, Stranger } from '@p2pl/simulator'
import { beaconOf, forge, keepIndex, randomBytes, refusedByte, say } from './forge.ts'

/** Beacons with roots that nobody has, and the largest counts that fit. */
export function randomRoots(stranger: Stranger, perSecond: number, burst = 0): Ending {
  const send = async (): Promise<void> => {
    await say(stranger, beaconOf(stranger, randomBytes(stranger.random, 32), Number.MAX_SAFE_INTEGER - 1))
  }
  for (let i = 0; i < burst; i++) stranger.after(1, send)
  return stranger.repeat(perSecond, send)
}

/** Real indexes, a new one each time, whose entries are signed but refused by the rule of the application. */
export function refusedEntries(stranger: Stranger, perSecond: number, entries = 300): Ending {
  return stranger.repeat(perSecond, async () => {
    const author = stranger.identity()
    const all = []
    for (let i = 0; i < entries; i++) {
      const payload = Uint8Array.of(refusedByte, ...randomBytes(stranger.random, 40))
      all.push(await forge(author, { payload }))
    }
    const { root, count } = await keepIndex(stranger, all)
    await say(stranger, beaconOf(stranger, root, count))
  })
}

/** Real indexes of valid form, served node by node, each one late. */
export function slowServer(stranger: Stranger, perSecond: number, after: number): Ending {
  const serving = stranger.serve(() => ({ after: 1 + randomInteger(stranger.random, after) }))
  const sending = refusedEntries(stranger, perSecond, 200)
  return {
    end: () => {
      serving.end()
      sending.end()
    }
  }
}

/** Says that it has every block and never gives one, while it reports roots that nobody has. */
export function silentServer(stranger: Stranger, perSecond: number): Ending {
  const serving = stranger.serve(() => 'silence')
  const sending = randomRoots(stranger, perSecond)
  return {
    end: () => {
      serving.end()
      sending.end()
    }
  }
}

/** Real indexes of entries with a clock that does not follow from their parents. */
export function wrongClocks(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    const author = stranger.identity()
    const all = [await forge(author, { payload: randomBytes(stranger.random, 8), clock: 7 })]
    const { root, count } = await keepIndex(stranger, all)
    await say(stranger, beaconOf(stranger, root, count))
  })
}
