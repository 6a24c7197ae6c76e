import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithFaults, faultLibrary, withFaults } from '@p2pl/tooling-vitest/disks'
import { expect, it, onTestFinished } from 'vitest'

interface Outcome {
  readonly wrong: readonly unknown[]
  readonly refused: number
  readonly acknowledged: number
}

const scenario = join(import.meta.dirname, 'scenarios/faults.ts')
const [EIO, ENOSPC, EROFS, EDQUOT] = [5, 28, 30, 122]

async function sweep(first: number, last: number, times: number, errno: number, durability: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-faults-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'disk'))
  writeFileSync(join(folder, 'control'), new Uint8Array(12))
  const args = [first, last, times, errno].map(String)
  return await withFaults<Outcome>(faultLibrary(folder), scenario, folder, ...args, durability)
}

describeWithFaults('a file system that fails at the n-th call', () => {
  it.each([
    ['once with EIO', 0, 60, 1, EIO, 'process'],
    ['once with EIO, each write synced', 0, 60, 1, EIO, 'power'],
    ['a few times with EIO', 0, 40, 4, EIO, 'power'],
    ['many times with ENOSPC', 0, 30, 60, ENOSPC, 'process'],
    ['for long with EROFS', 0, 10, 300, EROFS, 'process'],
    ['many times with EDQUOT, each write synced', 0, 20, 60, EDQUOT, 'power']
  ] as const)('%s loses nothing acknowledged and keeps nothing refused', async (_, first, last, times, errno, kind) => {
    const { wrong, refused, acknowledged } = await sweep(first, last, times, errno, kind)
    expect(wrong).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
    // A single failure is mended before anybody notices, unless it hits a file of its own.
    if (times > 1) expect(refused).toBeGreaterThan(0)
  })
})
