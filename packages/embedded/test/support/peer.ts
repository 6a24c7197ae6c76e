import type { Block } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { openPins, openTables, StoredBlocks, type FetchOptions, type OpenTables, type Pins } from '../../src/index.ts'

export type Tables = OpenTables<'blocks' | 'pins'>

export async function openIn(dir: string | undefined, durability: 'process' | 'power' = 'process'): Promise<Tables> {
  return await openTables({ backend: 'test', dir, durability, names: { blocks: 'b', pins: 'p' } })
}

export interface Peer {
  readonly blocks: StoredBlocks
  readonly pins: Pins
  readonly tables: Tables['tables']
  readonly close: () => Promise<void>
  /** What other peers have. */
  readonly elsewhere: Map<string, Uint8Array>
  readonly fetched: string[]
  readonly announced: string[]
}

/** Stored blocks over tables, with a network of one map. A block that nobody has is waited for until the signal fires. */
export async function peerOn(opened: Tables): Promise<Peer> {
  const { tables } = opened
  const pins = await openPins(tables.pins)
  const elsewhere = new Map<string, Uint8Array>()
  const fetched: string[] = []
  const announced: string[] = []
  const blocks = new StoredBlocks({
    blocks: tables.blocks,
    pins,
    fetch: async (cid: CID, { signal }: FetchOptions) => {
      fetched.push(cid.toString())
      const bytes = elsewhere.get(cid.toString())
      if (bytes !== undefined) return bytes
      return await new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    },
    stored: (stored: readonly Block[]) => announced.push(...stored.map(({ cid }) => cid.toString()))
  })
  return { blocks, pins, tables, close: () => opened.close(), elsewhere, fetched, announced }
}
