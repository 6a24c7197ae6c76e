import { randomInteger, shuffle } from '@p2pl/simulator'
import type { Ending, SimulatedIdentity, Stranger } from '@p2pl/simulator'
import { cidOf } from '../../src/cid.ts'
import type { EntryRecord } from '../../src/entry/codec.ts'
import { beaconOf, forge, keepIndex, randomBytes, say } from './forge.ts'

/** The first byte of a payload: not refused, and the rest at random. */
function payload(stranger: Stranger): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(1, ...randomBytes(stranger.random, 8))
}

/** A chain whose entries name each other, some with wrong signatures; with forks, and with links to entries of somebody else. */
async function chain(
  stranger: Stranger,
  author: SimulatedIdentity,
  lies: number,
  length: number
): Promise<EntryRecord[]> {
  const { random } = stranger
  const other = await forge(stranger.identity(), { payload: payload(stranger) })
  const all: EntryRecord[] = [other]
  let before = await forge(author, { payload: payload(stranger) }, lie(stranger, lies))
  all.push(before)
  for (let i = 1; i < length; i++) {
    // Now and then a fork, and now and then the claim that an entry of somebody else is the previous one.
    const below = random() < 0.2 ? (all[randomInteger(random, all.length)] as EntryRecord) : before
    const fields = {
      parents: [below.digest],
      previous: below.digest,
      clock: below.clock + 1,
      payload: payload(stranger)
    }
    before = await forge(author, fields, lie(stranger, lies))
    all.push(before)
  }
  return all
}

function lie({ random }: Stranger, lies: number): Uint8Array<ArrayBuffer> | undefined {
  return random() < lies ? randomBytes(random, 64) : undefined
}

/**
 * An author who lies about itself: of its entries, some have wrong signatures that right ones above them vouch for, and some have wrong
 * ones for good. They come as an index, which is taken at once, and one by one, in any order and not all of them.
 */
export function wrongInnerSignatures(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    const { random } = stranger
    const author = stranger.identity()
    const all = await chain(stranger, author, 0.7, 2 + randomInteger(random, 30))
    const tip = all.at(-1) as EntryRecord
    const fields = { parents: [tip.digest], previous: tip.digest, clock: tip.clock + 1, payload: payload(stranger) }
    if (random() < 0.8) all.push(await forge(author, fields))
    const { root, count } = await keepIndex(stranger, all)
    await say(stranger, beaconOf(stranger, root, count))
    for (const { bytes, digest } of shuffle(random, all).slice(0, 8)) {
      await say(stranger, { kind: 'announcement', providers: [stranger.address], entries: [bytes] })
      if (random() < 0.5) stranger.keep({ cid: cidOf(digest), bytes })
    }
  })
}

/** A chain of lies longer than a signature reaches: what is too far below it is in no view, and so is nothing above that. */
export function longLies(stranger: Stranger, perSecond: number): Ending {
  return stranger.repeat(perSecond, async () => {
    const author = stranger.identity()
    const all = await chain(stranger, author, 1, 60 + randomInteger(stranger.random, 10))
    const tip = all.at(-1) as EntryRecord
    const fields = { parents: [tip.digest], previous: tip.digest, clock: tip.clock + 1, payload: payload(stranger) }
    all.push(await forge(author, fields))
    const { root, count } = await keepIndex(stranger, all)
    await say(stranger, beaconOf(stranger, root, count))
  })
}
