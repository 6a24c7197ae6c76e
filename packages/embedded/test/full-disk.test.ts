import { join } from 'node:path'
import { describeOnDisks, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly full: number
  readonly errors: readonly string[]
  readonly remote: number
  readonly collected: number
  readonly again: number
}

describeOnDisks('a full disk', () => {
  it.each([
    ['large blocks', '64m', '1000000,300000'],
    ['small blocks', '48m', '3000,9000'],
    ['blocks of all sizes', '64m', '200,700000,20000,100000'],
    ['large blocks, with a full table of inodes,', '512m', '300000,400000', 600]
  ])('of %s keeps all pins, lets them end, collects, and takes more then', async (_, size, sizes, inodes?: number) => {
    const outcome = await onDisk<Outcome>(join(import.meta.dirname, 'support/full-disk.ts'), { size, inodes }, sizes)
    const right = { whenFull: [], afterStart: [], afterGc: [], afterAgain: [], atEnd: [] }
    expect(outcome).toMatchObject({ ...right, errors: ['STORAGE'], remote: 500_000 })
    expect(outcome.full).toBeGreaterThan(10)
    expect(outcome.collected).toBeGreaterThanOrEqual((outcome.full / 2) * 5)
    expect(outcome.again).toBeGreaterThanOrEqual(outcome.full / 8)
  })
})
