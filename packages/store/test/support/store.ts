import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { storeAt } from './store-at.ts'
import type { Store, StoreOptions } from '../../src/index.ts'

export * from './store-at.ts'

export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'p2pl-store-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Closed at the end of the test. */
export async function openAt(location: StoreOptions['location'], options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await storeAt(location, options)
  onTestFinished(() => store.close())
  return store
}
