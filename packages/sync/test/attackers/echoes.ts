import type { Ending, Stranger } from '@p2pl/simulator'
import { wholeShare } from '../../src/wire/messages.ts'
import { beaconOf, randomBytes, say } from './forge.ts'
import { collectRoots } from './hear.ts'

/** Repeats what honest peers report, each time in the name of a new identity, and changes it on the way. */
function echo(stranger: Stranger, perSecond: number, change: (count: number) => number): Ending {
  const heard = collectRoots(stranger)
  // Asked for what it seems to have, it answers nothing.
  const serving = stranger.serve(() => 'silence')
  const sending = stranger.repeat(perSecond, async () => {
    const latest = [...heard.roots.values()].at(-1)
    if (latest !== undefined) await say(stranger, beaconOf(stranger, new Uint8Array(latest.root), change(latest.count)))
  })
  return {
    end: () => {
      heard.end()
      serving.end()
      sending.end()
    }
  }
}

/** Honest roots with a wrong count. */
export function poisonedCounts(stranger: Stranger, perSecond: number): Ending {
  return echo(stranger, perSecond, (count) => count + 1)
}

/** Honest roots as they are: honest peers could leave it at that, and be silent. */
export function echoes(stranger: Stranger, perSecond: number): Ending {
  return echo(stranger, perSecond, (count) => count)
}

/** Asks everybody to answer, with as few bytes as that takes. */
export function questions(stranger: Stranger, perSecond: number): Ending {
  const heard = collectRoots(stranger)
  const sending = stranger.repeat(perSecond, async () => {
    const { root, count } = [...heard.roots.values()].at(-1) ?? { root: randomBytes(stranger.random, 32), count: 1 }
    const ask = { nonce: randomBytes(stranger.random, 16), share: wholeShare }
    await say(stranger, beaconOf(stranger, new Uint8Array(root), count, { ask }))
  })
  return {
    end: () => {
      heard.end()
      sending.end()
    }
  }
}
