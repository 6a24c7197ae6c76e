import { compareBytes } from '@p2pl/core/backend'
import { DamageError } from '../errors.ts'
import type { FileSystem } from '../node.ts'
import { readLog } from './log.ts'
import { readManifest, type Manifest, type TableFile } from './manifest.ts'
import { verifyTable, type Tolerance } from './table.ts'

export interface CheckOptions extends Tolerance {
  readonly files: FileSystem
  readonly folder: string
  /** Whether a power failure may have lost some of the last writes. */
  readonly tolerant: boolean
}

export interface UnusedTable {
  readonly name: string
  readonly size: number
}

interface CurrentManifest {
  readonly name: string
  /** Whether the file CURRENT names this manifest. */
  readonly isNamed: boolean
}

const manifestName = /^MANIFEST-\d+$/
const tableName = /^(\d+)\.(?:ldb|sst)$/
const logName = /^(\d+)\.log$/

/**
 * Finds the damage that LevelDB overlooks when it opens a folder: without the file CURRENT it creates an empty
 * database, it skips unreadable records in a log, it does not notice a missing log, and it verifies nothing that it
 * reads. Repairs what is safe to repair and returns a list of the repairs. Throws a `DamageError` for all other damage.
 */
export async function checkFolder(options: CheckOptions): Promise<string[]> {
  const { files, folder } = options
  const names = await files.readdir(folder)
  const started = names.some((name) => tableName.test(name) || logName.test(name) || name === 'CURRENT')
  // The process ended while LevelDB created the folder, or LevelDB has not started yet.
  if (!started) return []
  const { name, isNamed } = await currentManifest(options, names)
  const manifest = await within(name, async () => readManifest(await files.readFile(`${folder}/${name}`)))
  await checkTables(options, names, manifest)
  const repaired = await checkLogs(options, names, manifest.log)
  if (!isNamed) {
    await files.writeFile(`${folder}/CURRENT.new`, `${name}\n`)
    await files.rename(`${folder}/CURRENT.new`, `${folder}/CURRENT`)
    repaired.push('the file CURRENT was missing or damaged and was made again')
  }
  return repaired
}

/** Surveys the files of the database: the bytes of its tables and logs, and the tables that it does not use. */
export async function surveyFolder(
  options: CheckOptions
): Promise<{ readonly bytes: number; readonly unused: UnusedTable[] }> {
  const { files, folder } = options
  const names = await files.readdir(folder)
  if (!names.includes('CURRENT')) return { bytes: 0, unused: [] }
  const current = await currentManifest(options, names)
  const { tables } = readManifest(await files.readFile(`${folder}/${current.name}`))
  let bytes = [...tables.values()].reduce((sum, { size }) => sum + size, 0)
  const unused: UnusedTable[] = []
  for (const name of names) {
    const isUnused = tableName.test(name) && !tables.has(Number.parseInt(name, 10))
    if (!isUnused && !logName.test(name)) continue
    // An open database creates and deletes files at any time.
    const { size } = (await files.stat(`${folder}/${name}`).catch(() => undefined)) ?? { size: 0 }
    if (isUnused) unused.push({ name, size })
    else bytes += size
  }
  return { bytes, unused }
}

async function currentManifest({ files, folder }: CheckOptions, names: readonly string[]): Promise<CurrentManifest> {
  const manifests = names.filter((name) => manifestName.test(name))
  const [single, other] = manifests
  if (single === undefined) throw new DamageError('the file MANIFEST is missing')
  const current = await files.readFile(`${folder}/CURRENT`).catch(() => new Uint8Array())
  const text = new TextDecoder().decode(current)
  const named = manifests.find((name) => text === `${name}\n`)
  // LevelDB deletes older manifests, so a single manifest is the current one.
  if (named === undefined && other !== undefined) throw new DamageError('the file CURRENT is missing or damaged')
  return { name: named ?? single, isNamed: named !== undefined }
}

async function checkTables(
  { files, folder, ...tolerance }: CheckOptions,
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
      if (isWithin(table, tolerance.content)) return
      const file = await files.open(`${folder}/${name}`, 'r')
      try {
        await verifyTable(file, size, tolerance)
      } finally {
        await file.close()
      }
    })
  }
}

function isWithin({ smallest, largest }: TableFile, range: Tolerance['content']): boolean {
  return range !== undefined && compareBytes(smallest, range.gte) >= 0 && compareBytes(largest, range.lt) < 0
}

/** Checks the logs from this number on; 0 checks all logs. */
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
    if (wrongAt === undefined) continue
    if (unfinished !== true) {
      if (!tolerant) throw new DamageError(`${name}: it has bytes that were not written`)
      repaired.push(`${name} was damaged: its last ${bytes.length - wrongAt} bytes of writes are lost`)
    }
    // LevelDB would continue after the gap, and keep later writes without the earlier ones.
    await files.truncate(path, wrongAt)
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
