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
  it.each<[string, number, number?]>([
    ['16m', 500],
    ['40m', 500],
    ['40m', 100, 400]
  ])(
    'of %s with more than %s entries (inodes: %s) keeps every acknowledged entry, and goes on when there is room',
    async (size, least, inodes) => {
      const script = join(import.meta.dirname, 'support/full-disk.ts')
      const outcome = await onDisk<Outcome>(script, { size, inodes })
      expect(outcome).toMatchObject({ lost: 0, holes: 0, extra: 0 })
      expect(outcome.rootWhenFull).toBe(outcome.full)
      expect(outcome.full).toBeGreaterThan(least)
      expect(outcome.more).toBeGreaterThanOrEqual(300)
      expect(outcome.count).toBe(outcome.full + outcome.more)
      expect(outcome.read).toBe(outcome.count)
      for (const error of outcome.errors)
        expect(error).toMatch(/^STORAGE: (?:.*\bfree\b|a write that this entry built on)/)
    }
  )
})
