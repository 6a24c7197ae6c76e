import { isP2plError } from '@p2pl/core'
import { type Database, openStore, removeStore, type Store } from '@p2pl/store'

/**
 * Opens the store of a state. All of it is derived from the entries of the view, so a store that cannot be opened,
 * because it is damaged or of another version, is created again.
 */
export async function openDatabase(location: string | Database): Promise<Store> {
  try {
    return await open(location)
  } catch (error) {
    if (typeof location !== 'string' || !isP2plError(error, 'STORAGE')) throw error
    await removeStore(location)
    return await open(location)
  }
}

/** Replaces the store with an empty one. */
export async function emptied(store: Store, location: string | Database): Promise<Store> {
  await store.close()
  if (typeof location === 'string') await removeStore(location)
  else await location.clear()
  return await open(location)
}

async function open(location: string | Database): Promise<Store> {
  return await openStore({
    location,
    format: { name: 'p2pl-ledger state', version: 1 },
    // Entries that a power failure takes from the state are counted again.
    durability: 'process',
    remedy:
      'stop the node, remove this folder and start the node again, and everything is counted again from the entries',
    operations: { open: 'ledger.open', read: 'ledger.read', write: 'ledger.write' }
  })
}
