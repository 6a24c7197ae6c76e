import { type FileSystem, makeFolder } from './node.ts'
import { lockDatabase } from './tabs.ts'

/** The folder has files, but none of them belongs to a store. */
export class ForeignFilesError extends Error {
  override readonly name = 'ForeignFilesError'
}

const ownName = /^(?:CURRENT|LOCK|LOG|MANIFEST-\d+|\d+\.(?:log|ldb|sst))/
/** System files: a new disk with these files still counts as empty. */
const systemName = /^(?:\.|lost\+found$)/

/** Throws if the folder has files and none of their names matches `own`: the folder has another purpose. */
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

/** Makes the folder, or in a browser reserves the database for this page. Returns a function that releases it. */
export async function takePlace({ location, around, files }: Place): Promise<() => Promise<void>> {
  if (files === undefined) return await lockDatabase(location)
  if (around !== undefined) await refuseForeign(files, around, /^store$/)
  await refuseForeign(files, location, ownName)
  // Readable by the owner only, because it may contain private keys. The lock inside it is LevelDB's own.
  await makeFolder(files, location, 0o700)
  return async () => {}
}
