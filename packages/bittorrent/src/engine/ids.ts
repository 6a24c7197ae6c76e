import { randomBytes } from 'node:crypto'
import { concatBytes, fromText } from '../bytes.ts'
import type { Settings } from '../options.ts'
import type { Stores } from '../stores.ts'
import { newSeed, seedLength } from './publisher.ts'

/** The ids of one participant, kept where there is no folder. */
export interface MemoryIds {
  ids?: Ids | undefined
}

export interface Ids {
  /** 20 bytes: in the wire protocol. */
  readonly peer: Uint8Array
  /** 20 bytes: in the DHT. */
  readonly node: Uint8Array
  /** 32 bytes: of the key that signs what is said in the DHT. */
  readonly seed: Uint8Array
}

const idsKey = fromText('ids')
const seedKey = fromText('publisher')
const idLength = 20
/** Client and version, as other clients show them (BEP 20). */
const peerIdPrefix = fromText('-P20001-')

/** Those of a former life, or new ones. */
export async function idsOf(settings: Settings, { state }: Stores, memory: MemoryIds): Promise<Ids> {
  if (settings.dir === undefined) return (memory.ids ??= newIds())
  const kept = await state.get(idsKey)
  const seed = await state.get(seedKey)
  const fresh = newIds()
  const known = kept?.byteLength === 2 * idLength ? kept : undefined
  const ids: Ids = {
    peer: known?.slice(0, idLength) ?? fresh.peer,
    node: known?.slice(idLength) ?? fresh.node,
    seed: seed?.byteLength === seedLength ? seed : fresh.seed
  }
  await state.write([
    { key: idsKey, value: concatBytes(ids.peer, ids.node) },
    { key: seedKey, value: ids.seed }
  ])
  return ids
}

function newIds(): Ids {
  const peer = concatBytes(peerIdPrefix, new Uint8Array(randomBytes(idLength - peerIdPrefix.byteLength)))
  return { peer, node: new Uint8Array(randomBytes(idLength)), seed: newSeed() }
}
