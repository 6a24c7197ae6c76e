import { expect, it } from 'vitest'
import { grow } from '../src/harness/grow.ts'

it('a growth measures each number of peers in a process of its own, and gives the order of each figure', async () => {
  const growth = {
    name: 'growth-x',
    title: 'x',
    role: new URL('./growing-role.ts', import.meta.url),
    sizes: [10, 100, 1_000]
  }
  const [twice, same] = await grow(growth, { quick: true, profile: undefined }, false)
  expect(twice).toMatchObject({
    name: 'growth-x',
    measure: 'twice',
    points: [
      [10, 20],
      [100, 200]
    ]
  })
  expect(twice!.order).toBeCloseTo(1, 10)
  expect(same).toMatchObject({
    measure: 'same',
    points: [
      [10, 5],
      [100, 5]
    ],
    order: 0
  })
})
