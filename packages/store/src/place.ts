import type { FileSystem } from './node.ts'

/** Another page has the database. */
export class PlaceTakenError extends Error {
  override readonly name = 'PlaceTakenError'
}

/** Makes the folder, or in a browser takes the database for this page alone. Gives what lets go of it. */
export async function takePlace(location: string, files: FileSystem | undefined): Promise<() => Promise<void>> {
  if (files === undefined) return await lockPage(location)
  // Readable by the owner only: private keys may be in it. The lock in it is LevelDB's own.
  await files.mkdir(location, { recursive: true, mode: 0o700 })
  return async () => {}
}

/**
 * IndexedDB lets any number of pages write: with one private key they would be one peer twice. The browser itself releases
 * the lock of a page that is gone.
 */
async function lockPage(location: string): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<void>()
  const released = navigator.locks
    .request(`p2pl:${location}`, { ifAvailable: true }, (given) => {
      if (given === null) {
        granted.reject(new PlaceTakenError(`another page has ${location}`))
        return undefined
      }
      granted.resolve()
      return held.promise
    })
    .catch((error: unknown) => granted.reject(error))
  await granted.promise
  return async () => {
    held.resolve()
    await released
  }
}
