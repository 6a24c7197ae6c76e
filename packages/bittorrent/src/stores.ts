import { openTables, Pins, type Table } from '@p2pl/embedded'
import { failures } from './errors.ts'
import type { Settings } from './settings.ts'

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** Multihashes that are provided. */
  readonly provided: Table
  /** Torrents that are seeded, by the multihash of the root. */
  readonly torrents: Table
  /** Torrents that were or are being taken in. */
  readonly imports: Table
  /** The key, the node id, and the version of all this. */
  readonly state: Table
  close(): Promise<void>
}

export async function openStores({ dir, durability }: Settings): Promise<Stores> {
  const names = { blocks: 'b', pins: 'p', provided: 'r', torrents: 't', imports: 'i', state: 's' }
  const { tables, close } = await openTables(failures, { dir, sync: durability === 'power', names })
  return { ...tables, pins: new Pins(failures, tables.pins), close }
}
