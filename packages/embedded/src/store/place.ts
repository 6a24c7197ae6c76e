/** Where a database is. */
export interface Place {
  /** A path, or in a browser a name within the origin. */
  readonly location: string
  /** Called once the database is closed. */
  readonly release: () => Promise<void>
}

/** Another page has it. */
export class PlaceTakenError extends Error {
  override readonly name = 'PlaceTakenError'
}

/** What is used of `node:fs/promises`. */
interface FileSystem {
  mkdir(path: string, options: { recursive: boolean; mode: number }): Promise<unknown>
}

export async function takePlace(dir: string): Promise<Place> {
  const location = `${dir}/store`
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } }
  const fs = process?.getBuiltinModule?.('node:fs/promises') as FileSystem | undefined
  if (fs === undefined) return { location, release: await lock(location) }
  // Readable by the owner only: private keys are in it. The lock in it is the database's own.
  await fs.mkdir(dir, { recursive: true, mode: 0o700 })
  return { location, release: async () => {} }
}

/**
 * IndexedDB lets any number of pages write: with one private key they would be one participant twice. The browser itself
 * releases the lock of a page that is gone.
 */
async function lock(location: string): Promise<() => Promise<void>> {
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
