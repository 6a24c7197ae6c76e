import { expect, it } from 'vitest'
import { Heap } from '../../src/toolbox/heap.ts'

it('a heap gives its items in order, those pushed meanwhile as well', () => {
  const heap = new Heap<number>((a, b) => a < b)
  expect(heap.pop()).toBe(undefined)
  for (let i = 0; i < 1_000; i++) heap.push((i * 7_919) % 1_009)
  const taken: number[] = []
  for (let i = 0; i < 500; i++) taken.push(heap.pop() as number)
  expect(heap.first).toBeGreaterThan(taken.at(-1) as number)
  for (let i = 0; i < 500; i++) heap.push(2_000 - i)
  expect(heap.size).toBe(1_000)
  while (heap.size > 0) taken.push(heap.pop() as number)
  expect(taken).toEqual([...taken].sort((a, b) => a - b))
  expect(taken).toHaveLength(1_500)
})
