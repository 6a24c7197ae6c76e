import { checkOptions } from './check-options.ts'
import { Disk } from './disk.ts'
import { ForeignError, formatText, isLocked, StoreErrors } from './errors.ts'
import { formatKey, isOwnKey } from './marker.ts'
import { fileSystem } from './node.ts'
import { takePlace } from './place.ts'
import { checkedRecords, plainRecords } from './record.ts'
import { encodings, Session } from './session.ts'
import { sizesFor } from './sizes.ts'
import { Store } from './store.ts'
import type { Database, StoreOptions } from './types.ts'
import { ValueFiles } from './value-files.ts'
import { Values } from './values.ts'

/**
 * Opens a store. Throws `INVALID_ARGUMENT` for wrong options, `LOCKED` when another process, page or store has it open,
 * and `STORAGE` when it cannot be opened, is damaged or has another format.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  checkOptions(options)
  const errors = new StoreErrors(options)
  const { location, around, durability } = options
  let end = async (): Promise<void> => {}
  try {
    const files = typeof location === 'string' ? fileSystem : undefined
    if (typeof location === 'string') end = await takePlace({ location, around, files })
    const database = typeof location === 'string' ? await levelAt(location) : location
    const sizes = await sizesFor(files, location as string)
    const records = files === undefined ? plainRecords : checkedRecords
    const check = {
      folder: location as string,
      tolerant: durability === 'process',
      content: options.content,
      isSound: (key: Uint8Array, record: Uint8Array) => isOwnKey(key) || records.decode(key, record) !== undefined
    }
    const disk = files === undefined ? undefined : new Disk({ files, ...check }, sizes)
    const valueFiles = files === undefined ? undefined : new ValueFiles(files, location as string)
    const report = options.report ?? (() => {})
    if (disk !== undefined) {
      await refuseLocked(database)
      for (const message of await disk.check())
        report({ type: 'warning', message: `${location as string}: ${message}` })
      await valueFiles?.find()
    }
    // Without compression a block can be verified before it is opened, and most of the stored data is hashes and
    // signatures.
    const openOptions = { ...sizes, compression: false, cacheSize: 16_777_216 }
    const session = new Session(database, disk, errors, openOptions)
    await session.open()
    const lost = ((await disk?.acknowledged()) ?? 0) - session.sequence
    if (lost > 0) {
      const message = `${location as string}: the end of its log is gone, and with it the last ${lost} acknowledged writes: check the disk`
      report({ type: 'warning', message })
      await disk?.acknowledge(session.sequence)
    }
    const owned = typeof location === 'string'
    const close = async (): Promise<void> => {
      await disk?.acknowledge(session.sequence)
      await session.close(owned)
      await disk?.idle()
      await end()
    }
    try {
      await checkFormat(session, options, errors)
      await disk?.reserve.fill()
    } catch (error) {
      await session.close(owned)
      throw error
    }
    const values = new Values({ records, errors, files: valueFiles, content: options.content })
    return new Store({ session, disk, values, errors, sync: durability === 'power', report, close })
  } catch (cause) {
    await end()
    throw cause instanceof ForeignError ? errors.otherFormat(undefined) : errors.opening(cause)
  }
}

async function levelAt(location: string): Promise<Database> {
  const { Level } = await import('./level.ts')
  const database = new Level<Uint8Array, Uint8Array>(location, encodings)
  // Otherwise the database opens itself in the next turn, with its own options.
  await database.close()
  return database
}

/**
 * LevelDB takes its lock before it notices that it must not open anything. So nobody else can have the folder open
 * while it is checked.
 */
async function refuseLocked(database: Database): Promise<void> {
  await database.open({ createIfMissing: false, errorIfExists: true }).catch((error: unknown) => {
    if (isLocked(error)) throw error
  })
}

async function checkFormat(session: Session, { format }: StoreOptions, errors: StoreErrors): Promise<void> {
  const expected = new TextEncoder().encode(formatText(format))
  const found = await session.use((database) => database.get<Uint8Array, Uint8Array>(formatKey, encodings))
  if (found === undefined) {
    const keys = await session.use((database) => database.keys<Uint8Array>({ limit: 1, keyEncoding: 'view' }).all())
    if (keys.length > 0) throw errors.otherFormat(undefined)
    const failed = await session.write([{ type: 'put', key: formatKey, value: expected }], true)
    if (failed !== undefined) throw errors.opening(failed)
    return
  }
  const text = new TextDecoder().decode(found)
  if (text !== formatText(format)) throw errors.otherFormat(text)
}
