import { join } from 'node:path'
import { describeOnExt4, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly added: number
  readonly errors: readonly string[]
}

describeOnExt4('a disk that the kernel turns read-only', () => {
  it('while blocks are added keeps all pins, and takes more after a restart', async () => {
    const outcome = await onDisk<Outcome>(join(import.meta.dirname, 'support/read-only.ts'), {
      size: '256m',
      kind: 'ext4'
    })
    expect(outcome).toMatchObject({ whenReadOnly: [], afterRestart: [], more: 5, atEnd: [] })
    expect(outcome.added).toBeGreaterThanOrEqual(20)
    expect(outcome.errors.length).toBeGreaterThan(0)
    for (const error of outcome.errors) expect(error).toMatch(/^STORAGE: .*mount it writable again/)
  })
})
