import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder of its own for the calling test file; removed after its last test. */
export function temporaryFolder(prefix = 'p2pl-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  afterAll(() => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  })
  return path
}
