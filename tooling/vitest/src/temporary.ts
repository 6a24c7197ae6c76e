import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished, TestRunner } from 'vitest'

/**
 * A separate folder for the calling test, or for the calling file or `describe`. It is removed after that. Do not call it
 * in a hook, where nothing can be registered any more.
 */
export function temporaryFolder(prefix = 'p2pl-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  // While a test runs, vitest takes `afterAll` and never calls it.
  if (TestRunner.getCurrentTest() === undefined) afterAll(remove)
  else onTestFinished(remove)
  return path
}
