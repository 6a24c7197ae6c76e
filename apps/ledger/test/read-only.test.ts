import { join } from 'node:path'
import { describeOnExt4, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly written: number
  readonly entries: number
  readonly errors: readonly string[]
}

describeOnExt4('a node on a disk that the kernel turns read-only', () => {
  it('loses no acknowledged entry or document, keeps none that it refused, and goes on after a restart', async () => {
    const script = join(import.meta.dirname, 'programs/read-only.ts')
    const outcome = await onDisk<Outcome>(script, { size: '256m', kind: 'ext4' })
    expect(outcome).toMatchObject({ whenReadOnly: [], afterRestart: [], atEnd: [], more: 10 })
    expect(outcome.written).toBeGreaterThanOrEqual(30)
    expect(outcome.entries).toBe(outcome.written)
    expect(outcome.errors.length).toBeGreaterThan(0)
    for (const error of outcome.errors) expect(error).toMatch(/mount it writable again/)
  })
})
