import { type FileSystem, makeFolder } from './node.ts'
import { lockDatabase } from './tabs.ts'

/** The folder has files, and none is of a store. */
export class ForeignFilesError extends Error {
  override readonly name = 'ForeignFilesError'
}

const ownName = /^(?:CURRENT|LOCK|LOG|MANIFEST-\d+|\d+\.(?:log|ldb|sst))/
/** Of the system: a new disk is empty all the same. */
const systemName = /^(?:\.|lost\+found$)/

/** Throws where the folder has files, and none of them has an own name: it was made for something else. */
async function refuseForeign(files: FileSystem, folder: string, own: RegExp): Promise<void> {
  const names = (await files.readdir(folder).catch(() => [])).filter((name) => !systemName.test(name))
  if (names.length > 0 && !names.some((name) => own.test(name))) {
    throw new ForeignFilesError(`"${folder}" has other files, such as "${names[0]}"`)
  }
}

export interface Place {
  readonly location: string
  /** See {@link StoreOptions.around}. */
  readonly around: string | undefined
  /** Absent in browsers. */
  readonly files: FileSystem | undefined
}

/** Makes the folder, or in a browser takes the database for this page alone. Gives what lets go of it. */
export async function takePlace({ location, around, files }: Place): Promise<() => Promise<void>> {
  if (files === undefined) return await lockDatabase(location)
  if (around !== undefined) await refuseForeign(files, around, /^store$/)
  await refuseForeign(files, location, ownName)
  // Readable by the owner only: private keys may be in it. The lock in it is LevelDB's own.
  await makeFolder(files, location, 0o700)
  return async () => {}
}
