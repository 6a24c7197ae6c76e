import { fileSystem } from './node.ts'
import { lockDatabase } from './tabs.ts'

/**
 * Removes a store that is not open, with all its content: a folder, or in browsers a database. Throws `LOCKED` if
 * another tab has the database open.
 */
export async function removeStore(location: string): Promise<void> {
  if (fileSystem !== undefined) {
    await fileSystem.rm(location, { recursive: true, force: true })
    return
  }
  const release = await lockDatabase(location)
  try {
    const { Level } = await import('./level.ts')
    await (Level as unknown as { destroy(location: string): Promise<void> }).destroy(location)
  } finally {
    await release()
  }
}
