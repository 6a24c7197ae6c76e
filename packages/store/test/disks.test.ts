import { join } from 'node:path'
import { describeOnDisks, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly acknowledged: number
  readonly refused: number
  readonly errors: readonly string[]
  readonly whenFull: object
  readonly afterStart: object
  readonly afterRoom: object
  readonly atEnd: object
  readonly more: number
  readonly events: readonly string[]
}

const scenario = (name: string) => join(import.meta.dirname, 'scenarios', `${name}.ts`)
const whole = { missing: [], extra: [] }

describeOnDisks('a full disk', () => {
  it.each([
    ['small values', '24m', '300,2000', 'process'],
    ['small values, each synced', '24m', '2000', 'power'],
    ['values of a few pages', '48m', '30000,70000', 'process'],
    ['large values', '48m', '600000,1000000', 'process'],
    ['large values, each synced', '48m', '400000', 'power'],
    ['values of all sizes', '64m', '100,1000000,9000,300000', 'process']
  ])('of %s loses nothing acknowledged, still lets go and opens, and goes on', async (_, size, sizes, durability) => {
    const outcome = await onDisk<Outcome>(scenario('full-disk'), { size }, sizes, durability)
    expect(outcome).toMatchObject({ whenFull: whole, afterStart: whole, afterRoom: whole, atEnd: whole })
    expect(outcome.more).toBeGreaterThan(2)
    expect(outcome.acknowledged).toBeGreaterThan(20)
    expect(outcome.refused).toBe(30)
    for (const error of outcome.errors) expect(error).toMatch(/^STORAGE: .*\bfree\b/)
    expect(outcome.events[0]).toBe('degraded')
  })

  it('without free inodes is a full disk', async () => {
    const outcome = await onDisk<Outcome>(scenario('full-disk'), { size: '64m', inodes: 60 }, '300000,70000')
    expect(outcome).toMatchObject({ whenFull: whole, afterStart: whole, afterRoom: whole, atEnd: whole })
  })
})
