import type { Peer } from '@p2pl/core'
import { readView, type View } from '@p2pl/sync'
import type { CID } from 'multiformats/cid'
import { type Block, CarFile } from '../car/car-file.ts'
import { wholeEntries } from '../car/salvage.ts'
import { writeCar } from '../car/write-car.ts'
import { LedgerError } from '../errors.ts'
import type { GenesisBlock } from '../rules/genesis.ts'
import type { CallOptions } from '../service/service.ts'
import type { ImportView } from '../service/views.ts'
import { endOf, rootsOf } from './verify.ts'

interface Exporter {
  readonly peer: Peer
  readonly view: View
  readonly genesis: GenesisBlock
}

/** All entries and the genesis as a CAR file. */
export async function* exportLedger(from: Exporter, { signal }: CallOptions): AsyncGenerator<Uint8Array> {
  const { root } = await from.view.publishDigest({ signal })
  yield* writeCar([root, from.genesis.cid], exportedBlocks(from, root, signal))
}

/** The genesis, and each block that a full check of the view asks for, so that all exported data has been verified. */
async function* exportedBlocks(
  { peer, genesis }: Exporter,
  root: CID,
  signal: AbortSignal | undefined
): AsyncGenerator<Block> {
  const { cid, bytes, topic } = genesis
  yield { cid, bytes }
  const seen = new Set<string>()
  let fetched: Block[] = []
  const getBlock = async (wanted: CID): Promise<Uint8Array> => {
    const block = await peer.blocks.get(wanted, { signal })
    if (!seen.has(wanted.toString())) fetched.push({ cid: wanted, bytes: block })
    seen.add(wanted.toString())
    return block
  }
  for await (const _entry of readView(root, { topic, getBlock })) {
    yield* fetched
    fetched = []
  }
  yield* fetched
}

/** Imports the entries of a CAR file of the same ledger, up to any damage. */
export async function importLedger(
  { view, genesis }: Omit<Exporter, 'peer'>,
  source: AsyncIterable<Uint8Array>,
  { signal }: CallOptions
): Promise<ImportView> {
  const car = await CarFile.open(source, { signal })
  try {
    const { genesis: named } = rootsOf(car.roots)
    if (!named.equals(genesis.cid))
      throw new LedgerError('INVALID_ARGUMENT', `the file is of the ledger ${named.toString()}, another one`)
    const result = await view.import(importable(car, named), { signal })
    return car.damage === undefined ? result : { ...result, incomplete: `the file is not whole${endOf(car)}` }
  } finally {
    await car.close()
  }
}

/** All blocks except the genesis, which the view would refuse, and the whole entries of a truncated block. */
async function* importable(car: CarFile, genesis: CID): AsyncGenerator<Block> {
  for await (const block of car.blocks()) if (!block.cid.equals(genesis)) yield block
  if (car.damage?.rest !== undefined) yield* wholeEntries(car.damage.rest)
}
