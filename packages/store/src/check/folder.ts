import { DamageError } from '../errors.ts'
import type { FileSystem } from '../node.ts'
import { compare } from './bytes.ts'
import { readLog } from './log.ts'
import { readManifest, type Manifest, type TableFile } from './manifest.ts'
import { verifyTable } from './table.ts'

export interface CheckOptions {
  readonly files: FileSystem
  readonly folder: string
  /** Whether a loss of power may have taken some of the last writes. */
  readonly tolerant: boolean
  /** Keys whose values are not verified here. */
  readonly except: { readonly gte: Uint8Array; readonly lt: Uint8Array } | undefined
}

const manifestName = /^MANIFEST-\d+$/
const tableName = /^(\d+)\.(?:ldb|sst)$/
const logName = /^(\d+)\.log$/

/**
 * Finds the damage that LevelDB passes over when it opens a folder: it makes an empty database where the file CURRENT is gone,
 * skips what it cannot read in a log, misses no log, and verifies nothing that it reads. Repairs what is beyond doubt and
 * gives what it repaired; throws a `DamageError` for the rest.
 */
export async function checkFolder(options: CheckOptions): Promise<string[]> {
  const { files, folder } = options
  const names = await files.readdir(folder)
  const manifests = names.filter((name) => manifestName.test(name))
  const started = names.some((name) => tableName.test(name) || logName.test(name) || name === 'CURRENT')
  // LevelDB was ended while it made the folder, or has not begun.
  if (!started) return []
  if (manifests.length === 0) throw new DamageError('the file MANIFEST is missing')
  const current = await files.readFile(`${folder}/CURRENT`).catch(() => new Uint8Array())
  const named = new TextDecoder().decode(current)
  const known = manifests.find((name) => named === `${name}\n`)
  // LevelDB removes older manifests, so that a single one is the right one.
  if (known === undefined && manifests.length > 1) throw new DamageError('the file CURRENT is missing or damaged')
  const name = known ?? (manifests[0] as string)
  const manifest = await within(name, async () => readManifest(await files.readFile(`${folder}/${name}`)))
  await checkTables(options, names, manifest)
  const repaired = await checkLogs(options, names, manifest.log)
  if (known === undefined) {
    await files.writeFile(`${folder}/CURRENT.new`, `${name}\n`)
    await files.rename(`${folder}/CURRENT.new`, `${folder}/CURRENT`)
    repaired.push('the file CURRENT was missing or damaged and was made again')
  }
  return repaired
}

async function checkTables(
  { files, folder, except }: CheckOptions,
  names: string[],
  manifest: Manifest
): Promise<void> {
  const found = new Map(names.flatMap((name) => (tableName.test(name) ? [[Number.parseInt(name, 10), name]] : [])))
  for (const table of manifest.tables.values()) {
    const name = found.get(table.number)
    if (name === undefined) throw new DamageError(`the file ${padded(table.number)}.ldb is missing`)
    await within(name, async () => {
      const { size } = await files.stat(`${folder}/${name}`)
      if (size !== table.size) throw new DamageError(`it has ${size} bytes instead of ${table.size}`)
      if (isWithin(table, except)) return
      const file = await files.open(`${folder}/${name}`, 'r')
      try {
        await verifyTable(file, size, except)
      } finally {
        await file.close()
      }
    })
  }
}

function isWithin({ smallest, largest }: TableFile, range: CheckOptions['except']): boolean {
  return range !== undefined && compare(smallest, range.gte) >= 0 && compare(largest, range.lt) < 0
}

/** Looks at the logs from this number on; 0: at all of them. */
export async function checkLogs(
  { files, folder, tolerant }: CheckOptions,
  names: readonly string[],
  from: number
): Promise<string[]> {
  const logs = names.filter((name) => logName.test(name) && Number.parseInt(name, 10) >= from)
  if (from > 0 && !logs.some((name) => Number.parseInt(name, 10) === from))
    throw new DamageError(`the file ${padded(from)}.log is missing`)
  const repaired: string[] = []
  for (const name of logs.toSorted()) {
    const path = `${folder}/${name}`
    const bytes = await files.readFile(path)
    const { wrongAt, unfinished } = readLog(bytes)
    if (wrongAt === undefined || unfinished === true) continue
    if (!tolerant) throw new DamageError(`${name}: it has bytes that were not written`)
    // Without this, LevelDB would keep later writes and leave out earlier ones.
    await files.truncate(path, wrongAt)
    repaired.push(`${name} was damaged at byte ${wrongAt}: the last ${bytes.length - wrongAt} bytes of writes are lost`)
  }
  return repaired
}

async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof DamageError) throw new DamageError(`${name}: ${cause.message}`)
    throw cause
  }
}

function padded(number: number): string {
  return String(number).padStart(6, '0')
}
