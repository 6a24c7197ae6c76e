import { join } from 'node:path'
import { describeOnDisks, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly full: number
  readonly rootWhenFull: number
  readonly more: number
  readonly errors: readonly string[]
  readonly lost: number
  readonly holes: number
  readonly extra: number
  readonly count: number
  readonly read: number
}

describeOnDisks('a view on a full disk', () => {
  it.each(['16m', '40m'])('of %s keeps every acknowledged entry, and goes on when there is room', async (size) => {
    const script = join(import.meta.dirname, 'support/full-disk.ts')
    const outcome = await onDisk<Outcome>(script, { size })
    expect(outcome).toMatchObject({ lost: 0, holes: 0, extra: 0 })
    expect(outcome.rootWhenFull).toBe(outcome.full)
    expect(outcome.full).toBeGreaterThan(500)
    expect(outcome.more).toBeGreaterThanOrEqual(300)
    expect(outcome.count).toBe(outcome.full + outcome.more)
    expect(outcome.read).toBe(outcome.count)
    for (const error of outcome.errors)
      expect(error).toMatch(/^STORAGE: (?:.*\bfree\b|a write that this entry built on)/)
  })
})
