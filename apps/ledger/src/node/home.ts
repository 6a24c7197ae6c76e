import { join } from 'node:path'
import type { Identity } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { decodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import { makeFolder, readIfThere, writeDurably } from './files.ts'
import { loadIdentity, loadOrCreateIdentity, removeEmptyIdentity } from './identity-file.ts'
import { checkManifest, writeManifest } from './manifest.ts'

/** The folder of one ledger node: everything that it keeps. */
export interface Home {
  readonly path: string
  readonly genesis: GenesisBlock
  readonly identity: Identity
  readonly identityPath: string
  /** The entries: the store of `@p2pl/sync`. */
  readonly viewPath: string
  /** What follows from the entries; it may be removed, and is made again from them. */
  readonly statePath: string
  /** The store of the backend, where it has one. */
  readonly contentPath: string
  /** Where a running node says how to reach it. */
  readonly apiPath: string
}

const names = {
  manifest: 'ledger.json',
  identity: 'identity.json',
  genesis: 'genesis.cbor',
  view: 'view',
  state: 'state',
  content: 'content',
  api: 'api.json'
}

/** Makes the folder and its key, and gives the account, so that a genesis can name it. */
export async function prepareHome(path: string): Promise<Identity> {
  await makeFolder(path, 0o700)
  const file = join(path, names.identity)
  // Before there is a genesis nobody has used the key.
  if ((await readIfThere(join(path, names.genesis))) === undefined) await removeEmptyIdentity(file)
  return await loadOrCreateIdentity(file)
}

/** Makes the folder a node of the ledger of this genesis. Doing so again is not an error; another ledger is. */
export async function initHome(path: string, genesis: GenesisBlock): Promise<Home> {
  const identity = await prepareHome(path)
  const known = await readIfThere(join(path, names.genesis))
  if (known === undefined) await writeDurably(join(path, names.genesis), genesis.bytes)
  else if (!Buffer.from(known).equals(genesis.bytes))
    throw new LedgerError('INVALID_ARGUMENT', `${path} belongs to another ledger: choose another folder`)
  const manifest = { version: 1 as const, genesis: genesis.cid.toString(), account: identity.id }
  await checkManifest(join(path, names.manifest), manifest)
  await writeManifest(join(path, names.manifest), manifest)
  return homeOf(path, genesis, identity)
}

/** Opens a folder that `init` made; `NOT_FOUND` otherwise. */
export async function openHome(path: string): Promise<Home> {
  const bytes = await readIfThere(join(path, names.genesis))
  const identity = await loadIdentity(join(path, names.identity))
  if (bytes === undefined || identity === undefined)
    throw new LedgerError('NOT_FOUND', `no ledger in ${path}: make or join one with "p2pl-ledger init"`)
  const genesis = parseGenesis(bytes, join(path, names.genesis))
  await checkManifest(join(path, names.manifest), { genesis: genesis.cid.toString(), account: identity.id })
  return homeOf(path, genesis, identity)
}

/** The genesis of a folder that may have one. */
export async function homeGenesis(path: string): Promise<GenesisBlock | undefined> {
  const bytes = await readIfThere(join(path, names.genesis))
  return bytes === undefined ? undefined : parseGenesis(bytes, join(path, names.genesis))
}

/** The genesis in a file; `INVALID_CONTENT`, naming the file, when it holds none. */
export function parseGenesis(bytes: Uint8Array, file: string): GenesisBlock {
  try {
    return decodeGenesis(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LedgerError(
      'INVALID_CONTENT',
      `${file} is no genesis: ${reason}. Get it from another peer of the ledger`,
      error
    )
  }
}

export function apiPathOf(path: string): string {
  return join(path, names.api)
}

function homeOf(path: string, genesis: GenesisBlock, identity: Identity): Home {
  return {
    path,
    genesis,
    identity,
    identityPath: join(path, names.identity),
    viewPath: join(path, names.view),
    statePath: join(path, names.state),
    contentPath: join(path, names.content),
    apiPath: apiPathOf(path)
  }
}
