import { seededRandom, Watchdog } from '@p2pl/tooling-vitest'
import { simulatedIdentity } from '@p2pl/simulator'
import { Slots } from '@p2pl/core/backend'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes, mapKey } from '../src/bytes.ts'
import type { Bytes } from '../src/bytes.ts'
import { signingDomain } from '../src/entry/codec.ts'
import { keyOf } from '../src/entry/key.ts'
import { Appender } from '../src/replica/append.ts'
import { Committer } from '../src/replica/committer.ts'
import { Tips } from '../src/replica/tips.ts'
import { openTables } from '../src/store/database.ts'
import type { Head } from '../src/store/heads.ts'
import { Store } from '../src/store/store.ts'
import { bytesOf, memoryDatabase } from './support/peers.ts'

function headFrom(random: () => number, clocks: number): Head {
  const digest: Bytes = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
  return { id: mapKey(digest), digest, clock: 1 + Math.floor(random() * clocks) }
}

const step = fc.record({ kind: fc.constantFrom('add', 'add', 'delete', 'look'), at: fc.nat(1000) })

test('the first and the last heads are those of the canonical order, whatever was added and deleted', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 300 }), (seed, steps) => {
      const random = seededRandom(seed)
      const tips = new Tips([])
      const model: { head: Head; key: Bytes }[] = []
      for (const { kind, at } of steps) {
        if (kind === 'add') {
          const head = headFrom(random, 20)
          tips.add(head)
          model.push({ head, key: keyOf(head.clock, head.digest) })
        } else if (kind === 'delete' && model.length > 0) {
          const [gone] = model.splice(at % model.length, 1)
          tips.delete(gone!.head.id)
        }
        const sorted = model.toSorted((a, b) => compareBytes(a.key, b.key)).map(({ head }) => head)
        const count = at % 10
        expect(tips.oldest(count)).toEqual(sorted.slice(0, count))
        expect(tips.newest(count)).toEqual(sorted.toReversed().slice(0, count))
        expect(tips.size).toBe(model.length)
      }
    }),
    { numRuns: 100, seed: 4 }
  )
})

test('an append beside 100,000 heads looks at a few of them', async () => {
  const random = seededRandom(1)
  const store = await Store.open(await openTables(memoryDatabase()), 'heads')
  for (let i = 0; i < 100_000; i++) {
    const head = headFrom(random, 1)
    store.heads.set(head.id, head)
  }
  const committer = new Committer(store, new Slots(1), () => {})
  let looked = 0
  for (const name of ['newest', 'oldest'] as const) {
    const original = committer.tips[name].bind(committer.tips)
    committer.tips[name] = (count) => {
      const found = original(count)
      looked += found.length
      return found
    }
  }
  const bounds = { maxParents: 8, maxPayloadBytes: 1000 }
  const appender = new Appender(committer, simulatedIdentity(1), signingDomain('heads'), bounds, async () => true)
  // A turn of the event loop after each append.
  const watchdog = new Watchdog()
  for (let i = 0; i < 20; i++) {
    const { entry, synced } = await appender.append(bytesOf(`${i}`), {}, () => {})
    expect(entry.parents).toHaveLength(8)
    await synced
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(looked).toBe(20 * 16)
  expect(watchdog.stop()).toBeLessThan(100)
})
