import { seededBytes, seededRandom } from '@p2pl/tooling-vitest'
import { beforeEach, describe, expect, test } from 'vitest'
import { compareBytes } from '../src/bytes.ts'
import { proversOf } from '../src/entry/chains.ts'
import { decodeEntry, encodeEntry, widestBounds } from '../src/entry/codec.ts'
import type { EntryRecord } from '../src/entry/codec.ts'
import { admit } from '../src/intake/admission.ts'
import type { Candidate, Verdict } from '../src/intake/admission.ts'
import { vouchingReach } from '../src/limits.ts'

type Random = () => number

let made = 0

const whole = (random: Random, below: number): number => Math.floor(random() * below)

async function entry(
  author: number,
  parents: EntryRecord[],
  previous?: EntryRecord,
  clock?: number
): Promise<EntryRecord> {
  const digests = [...new Set(parents)].map(({ digest }) => digest).sort(compareBytes)
  const fields = {
    parents: digests,
    previous: previous === undefined ? 0 : digests.indexOf(previous.digest) + 1,
    clock: clock ?? 1 + Math.max(0, ...parents.map((parent) => parent.clock)),
    author: new Uint8Array(32).fill(author),
    payload: new Uint8Array(4)
  }
  return await decodeEntry(encodeEntry(fields, seededBytes(64, made++)), widestBounds)
}

/** Entries of a few authors with forks, wrong clocks, and links that name the entry of somebody else as previous. */
async function history(random: Random, size: number): Promise<Candidate[]> {
  const all: EntryRecord[] = []
  const some = (): EntryRecord => all[Math.max(0, all.length - 1 - whole(random, 6))] as EntryRecord
  for (let i = 0; i < size; i++) {
    const author = whole(random, 3)
    if (all.length === 0 || random() < 0.05) {
      all.push(await entry(author, []))
      continue
    }
    const own = all.findLast((one) => one.author[0] === author)
    const previous = random() < 0.1 ? some() : random() < 0.8 ? own : undefined
    const parents = [some(), ...(random() < 0.4 ? [some()] : []), ...(previous === undefined ? [] : [previous])]
    all.push(await entry(author, parents, previous, random() < 0.02 ? 7 : undefined))
  }
  return all
    .sort((a, b) => compareBytes(a.key, b.key))
    .map((one) => ({ entry: one, check: random() < 0.02 ? 'invalid' : undefined, right: random() < 0.7 }))
}

/** The largest set that keeps the rule, found by taking away what breaks it until nothing does. */
function plainly(candidates: readonly Candidate[]): Set<string> {
  const set = new Map(candidates.filter(({ check }) => check === undefined).map((one) => [one.entry.id, one]))
  const isProven = ({ entry: one, right }: Candidate, limit: number): boolean =>
    one.clock <= limit &&
    (right === true ||
      [...set.values()].some(
        (later) =>
          later.entry.previousId === one.id && later.entry.author[0] === one.author[0] && isProven(later, limit)
      ))
  for (let size = -1; size !== set.size;) {
    size = set.size
    for (const one of set.values()) {
      const clocks = one.entry.parentIds.map((id) => set.get(id)?.entry.clock)
      const isSolid = !clocks.includes(undefined) && one.entry.clock === 1 + Math.max(0, ...(clocks as number[]))
      if (!isSolid || !isProven(one, one.entry.clock + vouchingReach)) set.delete(one.entry.id)
    }
  }
  return new Set(set.keys())
}

const accepted = (candidates: readonly Candidate[], verdicts: readonly Verdict[]): Candidate[] =>
  candidates.filter((_, i) => verdicts[i] === 'accepted')

describe('the set that is taken', () => {
  beforeEach(() => {
    made = 0
  })

  test('is the largest one that keeps the rule', async () => {
    let unproven = 0
    let vouched = 0
    for (let seed = 1; seed <= 60; seed++) {
      const candidates = await history(seededRandom(seed), 40)
      const verdicts = admit(candidates, () => undefined)
      const taken = accepted(candidates, verdicts)
      expect(new Set(taken.map((one) => one.entry.id))).toEqual(plainly(candidates))
      unproven += verdicts.filter((verdict) => verdict === 'unproven').length
      vouched += taken.filter(({ right }) => right === false).length
    }
    expect(Math.min(unproven, vouched)).toBeGreaterThan(100)
  })

  test('is the same whether the entries come at once or in parts', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed)
      const candidates = await history(random, 40)
      const expected = new Set(
        accepted(
          candidates,
          admit(candidates, () => undefined)
        ).map((one) => one.entry.id)
      )
      const view = new Map<string, number>()
      let carried: Candidate[] = []
      for (let at = 0; at < candidates.length;) {
        const part = [...carried, ...candidates.slice(at, (at += 1 + whole(random, 10)))]
        const verdicts = admit(part, (id) => view.get(id))
        for (const one of accepted(part, verdicts)) view.set(one.entry.id, one.entry.clock)
        carried = part.filter((_, i) => verdicts[i] === 'unproven')
      }
      expect(new Set(view.keys())).toEqual(expected)
    }
  })
})

async function chainOf(length: number): Promise<EntryRecord[]> {
  const all: EntryRecord[] = []
  for (let i = 0; i < length; i++) {
    const previous = all.at(-1)
    all.push(await entry(1, previous === undefined ? [] : [previous], previous))
  }
  return all
}

const verdictsOf = (entries: readonly EntryRecord[], right: (i: number) => boolean): Verdict[] =>
  admit(
    entries.map((one, i) => ({ entry: one, check: undefined, right: right(i) })),
    () => undefined
  )

test('a signature proves the entries below it as far as it reaches', async () => {
  const chain = await chainOf(2 + vouchingReach)
  expect(proversOf(chain).map(({ clock }) => clock)).toEqual([chain.length, 1])
  expect(new Set(verdictsOf(chain.slice(1), (i) => i === vouchingReach))).toEqual(new Set(['lacking']))
  expect(new Set(verdictsOf(chain, (i) => i === 0 || i === chain.length - 1))).toEqual(new Set(['accepted']))
  expect(verdictsOf(chain, (i) => i === chain.length - 1)).toEqual(chain.map(() => 'unproven'))
})

test('each branch of a fork has one signature more to check, and each proves what is below both', async () => {
  const [root, trunk] = (await chainOf(2)) as [EntryRecord, EntryRecord]
  const left = await entry(1, [trunk], trunk)
  const right = await entry(1, [trunk], trunk)
  const all = [root, trunk, ...[left, right].sort((a, b) => compareBytes(a.key, b.key))]
  expect(new Set(proversOf(all))).toEqual(new Set([left, right]))
  for (const good of [2, 3]) {
    const verdicts = verdictsOf(all, (i) => i === good)
    expect(verdicts.map((verdict) => verdict === 'accepted')).toEqual([true, true, good === 2, good === 3])
  }
})

test('the entry of somebody else proves nothing, and an entry that is refused proves nothing either', async () => {
  const mine = await entry(1, [])
  const stranger = await entry(2, [mine], mine)
  expect(verdictsOf([mine, stranger], (i) => i === 1)).toEqual(['unproven', 'unproven'])
  const next = await entry(1, [mine], mine)
  const refused = [
    { entry: mine, check: undefined, right: false },
    { entry: next, check: 'invalid' as const, right: true }
  ]
  expect(admit(refused, () => undefined)).toEqual(['unproven', 'invalid'])
})

test('a thousand forks of lies are judged in one pass', async () => {
  const root = await entry(1, [])
  const bases = await Promise.all(Array.from({ length: 1000 }, async () => await entry(1, [root], root)))
  const tips = await Promise.all(bases.map(async (base) => await entry(1, [base], base)))
  const all = [
    root,
    ...bases.sort((a, b) => compareBytes(a.key, b.key)),
    ...tips.sort((a, b) => compareBytes(a.key, b.key))
  ]
  // Each tip takes its base with it, and the last one the root.
  expect(new Set(verdictsOf(all, () => false))).toEqual(new Set(['unproven']))
  const saved = all.length - 1
  const verdicts = verdictsOf(all, (i) => i === saved)
  expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(3)
})
