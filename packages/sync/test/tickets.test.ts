import { expect, test } from 'vitest'
import type { Standings } from '../src/standings.ts'
import { Tickets } from '../src/walks/tickets.ts'
import type { Beacon } from '../src/wire/messages.ts'

function beacon(root: number): Beacon {
  return {
    kind: 'beacon',
    providers: [],
    root: new Uint8Array(32).fill(root),
    count: root,
    ask: undefined,
    proofs: [],
    padding: 0
  }
}

test('nobody looks again before one of the roots that wait is ripe and may be tried', () => {
  const tickets = new Tickets({ isKnown: () => true, weight: () => 1 } as unknown as Standings, () => 0)
  expect(tickets.soonest(() => 0)).toBe(Infinity)
  tickets.offer('a', beacon(1), 0)
  tickets.offer('b', beacon(2), 0)
  // Neither was tried in vain: what they wait for is to be ripe.
  expect(tickets.soonest(({ sender }) => (sender === 'a' ? 700 : 500))).toBe(500)
  const tried = tickets.draw(true, 0, ({ sender }) => sender === 'b')
  tried!.notBefore = 900
  expect(tickets.soonest(({ sender }) => (sender === 'a' ? 700 : 500))).toBe(700)
  tickets.supersede('a')
  expect(tickets.soonest(() => 500)).toBe(900)
})
