import type { EngineEvent } from '@p2pl/core/backend'
import { openStore } from '@p2pl/store'
import { MemoryTable, StoreTable, type Table } from './table.ts'
import { storeIn } from './when-free.ts'

export interface OpenTablesOptions<Name extends string> {
  /** The name of the backend, for errors. */
  readonly backend: string
  /** A folder in Node, the name of an IndexedDB database in browsers; if absent, everything is gone with the process. */
  readonly dir: string | undefined
  /** What an acknowledged write survives: the end of the process, or a power failure too. */
  readonly durability: 'process' | 'power'
  /** The names of the tables, each with a unique letter that never changes. The table of blocks has `b`. */
  readonly names: Readonly<Record<Name, string>>
  /** The `report` of `open`. */
  readonly report?: ((event: EngineEvent) => void) | undefined
}

export interface OpenTables<Name extends string> {
  readonly tables: Readonly<Record<Name, Table>>
  close(): Promise<void>
}

/** The letter of the table of blocks. */
const blocks = 'b'
const remedy =
  'move the folder away and start again; blocks that other peers have are fetched again, pins and keys in the folder are gone'

/**
 * Opens one store for all tables: a single lock, and a single log to sync. Throws `LOCKED` when another process or
 * backend uses the folder, and `STORAGE` when it cannot be opened, is damaged, or was written by another version.
 */
export async function openTables<Name extends string>({
  backend,
  dir,
  durability,
  names,
  report
}: OpenTablesOptions<Name>): Promise<OpenTables<Name>> {
  if (dir === undefined) return { tables: each(names, () => new MemoryTable()), close: async () => {} }
  const letter = blocks.charCodeAt(0)
  const store = await openStore({
    location: storeIn(dir),
    around: dir,
    format: { name: 'p2pl tables', version: 2 },
    durability,
    remedy,
    operations: { open: 'start', read: 'store.read', write: 'store.write' },
    backend,
    content: { gte: Uint8Array.of(letter), lt: Uint8Array.of(letter + 1) },
    report
  })
  // On a full disk an engine still stores what it needs to know, but no more blocks.
  const tableOf = (name: string): Table =>
    new StoreTable(store, name.charCodeAt(0), name === blocks ? undefined : 'most')
  return { tables: each(names, tableOf), close: () => store.close() }
}

function each<Name extends string, T>(
  names: Readonly<Record<Name, string>>,
  make: (letter: string) => T
): Record<Name, T> {
  return Object.fromEntries(
    Object.entries(names).map(([name, letter]) => [name, make(letter as string)])
  ) as unknown as Record<Name, T>
}
