import { PlaceLockedError, type Place } from './place.ts'

/**
 * A database of the origin (IndexedDB), with a lock of its own: two tabs with one private key would be one peer twice.
 * The browser releases the lock of a page that is gone.
 */
export async function openPlace(dir: string): Promise<Place> {
  const location = `p2pl/${dir}`
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<void>()
  void navigator.locks
    .request(location, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        granted.reject(new PlaceLockedError(`another page has ${location}`))
        return undefined
      }
      granted.resolve()
      return held
    })
    .catch((error: unknown) => granted.reject(error))
  await granted.promise
  return { location, release: () => release() }
}
