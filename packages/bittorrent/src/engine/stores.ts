import type { EngineEvent } from '@p2pl/core/backend'
import { openPins, openTables, type Pins, type Table } from '@p2pl/embedded'
import { backendName } from '../tools/failure.ts'

export interface Stores {
  /** Blocks by multihash. */
  readonly blocks: Table
  readonly pins: Pins
  /** Multihashes that are provided. */
  readonly provided: Table
  /** Seeded torrents, by the multihash of the root. */
  readonly torrents: Table
  /** Torrents of finished and unfinished imports. */
  readonly imports: Table
  /** The key, the node id, and secrets of the peer. */
  readonly state: Table
  close(): Promise<void>
}

export interface StoreOptions {
  readonly dir: string | undefined
  readonly durability: 'process' | 'power'
}

export async function openStores(
  { dir, durability }: StoreOptions,
  report: (event: EngineEvent) => void
): Promise<Stores> {
  const names = { blocks: 'b', pins: 'p', provided: 'r', torrents: 't', imports: 'i', state: 's' }
  const opened = await openTables({ backend: backendName, dir, durability, names, report })
  const { tables } = opened
  try {
    return { ...tables, pins: await openPins(tables.pins), close: () => opened.close() }
  } catch (error) {
    await opened.close()
    throw error
  }
}
