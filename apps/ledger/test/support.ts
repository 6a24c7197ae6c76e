import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { identityFromSeed, type Identity } from '@p2pl/core'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { initHome, type Home, prepareHome } from '../src/node/home.ts'
import { encodeGenesis, type GenesisBlock } from '../src/rules/genesis.ts'
import { encodePayload, type Payload } from '../src/rules/payload.ts'
import type { RawEntry } from '../src/rules/state.ts'

/** The same account for the same number in every run. */
export async function account(number: number): Promise<Identity> {
  return await identityFromSeed(createHash('sha256').update(`test account ${number}`).digest())
}

export async function accountIds(count: number): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, async (_, i) => (await account(i)).id))
}

export function cidOf(text: string, codec = 0x71): CID {
  return CID.createV1(codec, digest.create(0x12, createHash('sha256').update(text).digest()))
}

/** An entry as sync would deliver it; its CID is that of its name. */
export function rawEntry(
  name: string,
  author: string,
  payload: Payload | Uint8Array,
  parents: readonly RawEntry[] = []
): RawEntry {
  return {
    cid: cidOf(name),
    clock: parents.reduce((largest, { clock }) => Math.max(largest, clock), 0) + 1,
    author,
    parents: parents.map(({ cid }) => cid),
    payload: payload instanceof Uint8Array ? payload : encodePayload(payload)
  }
}

export function genesisOf(balances: Iterable<[string, bigint]>, witnesses: readonly string[] = []): GenesisBlock {
  return encodeGenesis({ network: 'test', balances: new Map(balances), witnesses, salt: new Uint8Array(16) })
}

/** Folders of one ledger; each account begins with 1,000 and is a witness. */
export async function makeHomes(folder: string, names: readonly string[]): Promise<Home[]> {
  const paths = names.map((name) => join(folder, name))
  const accounts = await Promise.all(paths.map(async (path) => (await prepareHome(path)).id))
  const genesis = genesisOf(
    accounts.map((id) => [id, 1_000n]),
    accounts
  )
  return await Promise.all(paths.map(async (path) => await initHome(path, genesis)))
}
