import { join } from 'node:path'
import { describeOnExt4, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly appended: number
  readonly count: number
  readonly more: number
  readonly errors: readonly string[]
}

describeOnExt4('a view on a disk that the kernel turns read-only', () => {
  it('keeps every acknowledged entry and none that it refused, and takes more after a restart', async () => {
    const outcome = await onDisk<Outcome>(join(import.meta.dirname, 'support/read-only.ts'), {
      size: '64m',
      kind: 'ext4'
    })
    expect(outcome).toMatchObject({ missingWhenReadOnly: 0, missingAfterRestart: 0, missingAtEnd: 0 })
    expect(outcome.more).toBeGreaterThanOrEqual(50)
    expect(outcome.appended).toBeGreaterThanOrEqual(100)
    expect(outcome.count).toBe(outcome.appended)
    expect(outcome.errors.length).toBeGreaterThan(0)
    for (const error of outcome.errors)
      expect(error).toMatch(/^STORAGE: (?:.*mount it writable again|a write that this entry built on)/)
  })
})
