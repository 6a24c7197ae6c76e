import { errorMessage } from '@p2pl/core/backend'
import { join } from 'node:path'
import type { Identity } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { decodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import { makeFolder, readIfThere, writeDurably } from './files.ts'
import { loadIdentity, loadOrCreateIdentity, removeEmptyIdentity } from './identity-file.ts'
import { checkManifest, writeManifest } from './manifest.ts'

/** The folder of one ledger node, with everything that it keeps. */
export interface Home {
  readonly path: string
  readonly genesis: GenesisBlock
  readonly identity: Identity
  readonly identityPath: string
  /** The entries: the store of `@p2pl/sync`. */
  readonly viewPath: string
  /** Data derived from the entries. It may be removed, and is then derived again. */
  readonly statePath: string
  /** The store of the backend, if it has one. */
  readonly contentPath: string
  /** The file in which a running node says how to reach it. */
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

/** Makes the folder and its key, and returns the account, so that a genesis can name it. */
export async function prepareHome(path: string): Promise<Identity> {
  await makeFolder(path, 0o700)
  const file = join(path, names.identity)
  // Before there is a genesis, nobody has used the key.
  if ((await readIfThere(join(path, names.genesis))) === undefined) await removeEmptyIdentity(file)
  return await loadOrCreateIdentity(file)
}

/**
 * Makes the folder a node of the ledger with this genesis. It is no error if it already is one, but it is an error if
 * it belongs to another ledger.
 */
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

/** Opens a folder that `init` made. Throws `NOT_FOUND` for any other folder. */
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

/** The genesis in a file. Throws `INVALID_CONTENT`, naming the file, when it contains none. */
export function parseGenesis(bytes: Uint8Array, file: string): GenesisBlock {
  try {
    return decodeGenesis(bytes)
  } catch (error) {
    const reason = errorMessage(error)
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
