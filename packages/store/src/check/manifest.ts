import { DamageError } from '../errors.ts'
import { ByteReader } from './bytes.ts'
import { readLog } from './log.ts'

export interface TableFile {
  readonly number: number
  readonly size: number
  /** The first and the last key of the table, without LevelDB's sequence numbers. */
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

/** The files of a database, according to its manifest. */
export interface Manifest {
  readonly tables: ReadonlyMap<number, TableFile>
  /** Logs with a smaller number are obsolete. */
  readonly log: number
}

/** LevelDB appends a sequence number of 8 bytes to each key. */
export const userKey = (key: Uint8Array): Uint8Array => key.subarray(0, Math.max(0, key.length - 8))

export function readManifest(file: Uint8Array): Manifest {
  const { records, unfinished } = readLog(file)
  if (unfinished === false) throw new DamageError('the manifest has bytes that were not written')
  if (records.length === 0) throw new DamageError('the manifest is empty')
  const tables = new Map<number, TableFile>()
  let log = 0
  for (const { bytes } of records) {
    const reader = new ByteReader(bytes)
    const added: TableFile[] = []
    while (!reader.done) {
      switch (reader.varint()) {
        case 1: // comparator
          reader.slice()
          break
        case 2:
          log = reader.varint()
          break
        case 3: // next file number
        case 4: // last sequence number
        case 9: // log before the log
          reader.varint()
          break
        case 5: // where compaction continues
          reader.varint()
          reader.slice()
          break
        case 6: // a table that is no longer used
          reader.varint()
          tables.delete(reader.varint())
          break
        case 7: // a new table
          reader.varint()
          added.push({
            number: reader.varint(),
            size: reader.varint(),
            smallest: userKey(reader.slice()),
            largest: userKey(reader.slice())
          })
          break
        default:
          throw new DamageError('the manifest has a record of an unknown kind')
      }
    }
    // When a table only moves to another level, one record both removes and adds it.
    for (const table of added) tables.set(table.number, table)
  }
  return { tables, log }
}
