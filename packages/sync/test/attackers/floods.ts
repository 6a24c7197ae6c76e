import type { Ending, Stranger } from '@p2pl/simulator'
import { forge, randomBytes, say } from './forge.ts'
import { collectRoots } from './hear.ts'

/** Asks for blocks that honest peers have, and for some that nobody has. */
export function repairFlood(stranger: Stranger, perSecond: number): Ending {
  const heard = collectRoots(stranger)
  const sending = stranger.repeat(perSecond, async () => {
    const known = [...heard.roots.values()].slice(-4).map(({ root }) => new Uint8Array(root))
    await say(stranger, { kind: 'request', wanted: [...known, randomBytes(stranger.random, 32)], padding: 0 })
  })
  return {
    end: () => {
      heard.end()
      sending.end()
    }
  }
}

/** Says that it has what others ask for, and that it is large. */
export function falseAnswers(stranger: Stranger, perSecond: number): Ending {
  const heard = collectRoots(stranger)
  const sending = stranger.repeat(perSecond, async () => {
    const larger = [...heard.roots.values()]
      .slice(-8)
      .map(({ root }) => ({ digest: new Uint8Array(root), size: 190_000 }))
    await say(stranger, { kind: 'answer', blocks: [randomBytes(stranger.random, 200)], larger })
  })
  return {
    end: () => {
      heard.end()
      sending.end()
    }
  }
}

/** Valid entries without parents: heads, as many as one author can sign. */
export function headBomb(stranger: Stranger, perSecond: number, perMessage = 20): Ending {
  const author = stranger.identity()
  return stranger.repeat(perSecond, async () => {
    const entries = []
    for (let i = 0; i < perMessage; i++) {
      entries.push((await forge(author, { payload: Uint8Array.of(1, ...randomBytes(stranger.random, 20)) })).bytes)
    }
    await say(stranger, { kind: 'announcement', providers: [stranger.address], entries })
  })
}

/** Signed entries whose parents nobody has. */
export function inventedParents(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    const parents = Array.from({ length: 8 }, () => randomBytes(stranger.random, 32))
    const { bytes } = await forge(stranger.identity(), { parents, clock: 9, payload: randomBytes(stranger.random, 8) })
    await say(stranger, { kind: 'announcement', providers: [stranger.address], entries: [bytes] })
  })
}
