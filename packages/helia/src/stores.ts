import { openTables, Pins, type Table } from '@p2pl/embedded'
import type { Datastore } from 'interface-datastore'
import { TableDatastore } from './datastore.ts'
import { failures } from './errors.ts'
import type { Settings } from './options.ts'

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** What the node remembers of itself: its private key, what it provides. */
  readonly state: Table
  /** What the engine remembers: peers, DHT records. */
  readonly data: Datastore
  close(): Promise<void>
}

export async function openStores({ dir, durability }: Settings): Promise<Stores> {
  const names = { blocks: 'b', pins: 'p', state: 's', data: 'd' }
  const { tables, close } = await openTables(failures, { dir, sync: durability === 'power', names })
  return { ...tables, pins: new Pins(failures, tables.pins), data: new TableDatastore(tables.data), close }
}
