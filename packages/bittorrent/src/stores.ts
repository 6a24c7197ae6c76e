import { openTables, Pins, type Table } from '@p2pl/embedded'
import { failures } from './errors.ts'
import type { Settings } from './options.ts'

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** Multihashes that are provided. */
  readonly provided: Table
  /** Torrents that are seeded, by the multihash of the root. */
  readonly torrents: Table
  /** The ids. */
  readonly state: Table
  close(): Promise<void>
}

export async function openStores({ dir, durability }: Settings): Promise<Stores> {
  const names = { blocks: 'b', pins: 'p', provided: 'r', torrents: 't', state: 's' }
  const { tables, close } = await openTables(failures, { dir, sync: durability === 'power', names })
  return { ...tables, pins: new Pins(failures, tables.pins), close }
}
