import type { Peer } from '@p2pl/core'
import { measureAmplification, simulatedCryptography } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import { attacks } from './attackers/all.ts'
import { topic } from './attackers/forge.ts'
import { wrongInnerSignatures } from './attackers/liars.ts'
import { cidOf, digestOf } from '../src/cid.ts'
import { signedPart, signingDomain, widestBounds } from '../src/entry/codec.ts'
import type { EntryRecord } from '../src/entry/codec.ts'
import { readView } from '../src/index.ts'
import type { View } from '../src/index.ts'
import { walk } from '../src/tree/walk.ts'
import { join } from './support/joiner.ts'
import { collect } from './support/peers.ts'
import { runSchedule } from './support/schedule.ts'
import { forSeeds } from './support/seeds.ts'

const reach = 64

interface Seen {
  accepted: number
  /** Accepted though their own signatures are wrong. */
  vouched: number
}

/** The rule of chains, once more and as plainly as it can be said. */
async function inspect(peer: Peer, view: View, seen: Seen): Promise<void> {
  const { root } = await view.publishDigest()
  const getBlock = async (cid: ReturnType<typeof cidOf>) => await peer.blocks.get(cid, { local: true })
  const entries: EntryRecord[] = []
  const fetch = async (digest: Uint8Array<ArrayBuffer>) => new Uint8Array(await getBlock(cidOf(digest)))
  for await (const leaf of walk({ root: digestOf(root)!, bounds: widestBounds, window: () => 8, fetch })) {
    entries.push(...leaf.entries)
  }
  const right = new Map<string, boolean>()
  for (const { id, author, bytes, signature } of entries) {
    right.set(id, await simulatedCryptography.verify(author, signedPart(signingDomain(topic), bytes), signature))
  }
  const isProven = (entry: EntryRecord, from: number): boolean => {
    if (entry.clock > from + reach) return false
    if (right.get(entry.id) === true) return true
    return entries.some(
      (one) => one.previousId === entry.id && String(one.author) === String(entry.author) && isProven(one, from)
    )
  }
  for (const entry of entries) {
    seen.accepted++
    if (right.get(entry.id) === true) continue
    seen.vouched++
    expect(isProven(entry, entry.clock)).toBe(true)
  }
  const read = await collect(readView(root, { topic, getBlock, cryptography: simulatedCryptography }))
  expect(read.map(({ cid }) => String(cid))).toEqual(entries.map(({ digest }) => String(cidOf(digest))))
}

test('peers agree on the entries of authors who lie about their own signatures', { timeout: 3_600_000 }, async () => {
  const seen = { accepted: 0, vouched: 0 }
  await forSeeds('liars', { first: 1, seeds: 50, short: 6 }, async (seed) => {
    const names = ['wrong inner signatures', 'long lies', 'wrong inner signatures']
    const outcome = await runSchedule({
      seed,
      peers: 8,
      steps: 10,
      beaconPeriod: 1000,
      limit: 30,
      discovery: seed % 2 === 0 ? 'known' : 'anyone',
      attack: (simulator) => {
        const endings = names.map((name, i) => attacks[name]!.begin(simulator.stranger(`liar ${i}`)))
        return { end: () => endings.forEach((ending) => ending.end()) }
      },
      inspect: async (peer, view) => await inspect(peer, view, seen)
    })
    expect(outcome.roots).toBe(1)
  })
  expect(seen.vouched).toBeGreaterThan(20)
  expect(seen.accepted).toBeGreaterThan(seen.vouched)
})

test('an author who lies makes honest peers send each of its bytes once to each other at most', async () => {
  const honest = 4
  const { simulator } = await join({ seed: 1, honest, entries: 100, beaconPeriod: 2000, before: 0, limit: 20 })
  await simulator.run({ for: 4_000 })
  const { factor } = await measureAmplification(simulator, {
    for: 8_000,
    attack: () => {
      const endings = [0, 1].map((i) => wrongInnerSignatures(simulator.stranger(`liar ${i}`), 3))
      return { end: () => endings.forEach((ending) => ending.end()) }
    }
  })
  expect(factor).toBeGreaterThan(0)
  expect(factor).toBeLessThanOrEqual(honest)
})
