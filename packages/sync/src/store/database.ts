import { openStore, type Database, type Store } from '@p2pl/store'
import { tableEnd, tableStart } from './keys.ts'

export type { Database, Operation, Store as Tables } from '@p2pl/store'

/** A folder (Node), the name of an IndexedDB database (browsers), or a database that nobody else uses. */
export async function openTables(location: string | Database): Promise<Store> {
  return await openStore({
    location,
    format: { name: 'p2pl view', version: 4 },
    durability: 'power',
    // Entries are verified by their CIDs.
    content: { gte: tableStart('entry'), lt: tableEnd('entry') },
    remedy: 'move the folder away and open the view again, and the other peers fill it',
    operations: { open: 'openView', read: 'view.read', write: 'view.write' }
  })
}
