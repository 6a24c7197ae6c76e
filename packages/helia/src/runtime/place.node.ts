import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from './place.ts'

/** A folder. The lock in it is the database's own. */
export async function openPlace(dir: string): Promise<Place> {
  // Readable by the owner only: the private key is in it.
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return { location: join(dir, 'store'), release: () => {} }
}
