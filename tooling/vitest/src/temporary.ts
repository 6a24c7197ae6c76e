import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A separate folder for the calling test file. It is removed after the last test. */
export function temporaryFolder(prefix = 'p2pl-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  afterAll(() => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  })
  return path
}
