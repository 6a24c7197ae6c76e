import { join } from 'node:path'
import { describeOnExt4, onDisk } from '@p2pl/tooling-vitest/disks'
import { expect, it } from 'vitest'

interface Outcome {
  readonly acknowledged: number
  readonly errors: readonly string[]
  readonly whenReadOnly: object
  readonly opening: readonly string[]
  readonly afterRestart: object
  readonly more: readonly string[]
  readonly atEnd: object
  readonly events: readonly string[]
}

const scenario = join(import.meta.dirname, 'scenarios/read-only.ts')
const whole = { missing: [], extra: [] }

describeOnExt4('a disk that the kernel turns read-only', () => {
  it.each([
    ['small values', '300,2000'],
    ['values of all sizes', '100,600000,9000,300000']
  ])(
    'while %s are written loses nothing acknowledged, is read on, and takes more after a restart',
    async (_, sizes) => {
      const outcome = await onDisk<Outcome>(scenario, { size: '256m', kind: 'ext4' }, sizes)
      expect(outcome).toMatchObject({ whenReadOnly: whole, afterRestart: whole, atEnd: whole, more: [] })
      expect(outcome.acknowledged).toBeGreaterThanOrEqual(60)
      expect(outcome.events[0]).toBe('degraded')
      for (const error of [...outcome.errors, ...outcome.opening])
        expect(error).toMatch(/^STORAGE: .*mount it writable again/)
      expect(outcome.opening).toHaveLength(2)
    }
  )
})
