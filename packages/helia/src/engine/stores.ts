import type { EngineEvent } from '@p2pl/core/backend'
import { openPins, openTables, type Pins, type Table } from '@p2pl/embedded'
import type { Datastore } from 'interface-datastore'
import type { Settings } from '../options/settings.ts'
import { TableDatastore } from './datastore.ts'

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** What the node stores about itself: its private key, and secrets of the peer. */
  readonly state: Table
  /** What the engine stores: peers and DHT records. */
  readonly data: Datastore
  close(): Promise<void>
}

export async function openStores({ dir, durability }: Settings, report: (event: EngineEvent) => void): Promise<Stores> {
  const names = { blocks: 'b', pins: 'p', state: 's', data: 'd' }
  const opened = await openTables({ backend: 'helia', dir, durability, names, report })
  const { tables } = opened
  const close = async (): Promise<void> => await opened.close()
  try {
    return { ...tables, pins: await openPins(tables.pins), data: new TableDatastore(tables.data), close }
  } catch (error) {
    await close()
    throw error
  }
}
