import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Identity } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { decodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import { loadIdentity, loadOrCreateIdentity } from './identity-file.ts'

/** The folder of one ledger node: everything that it keeps. */
export interface Home {
  readonly path: string
  readonly genesis: GenesisBlock
  readonly identity: Identity
  /** The entries: the store of `@p2pl/sync`. */
  readonly viewPath: string
  /** The store of the backend, where it has one. */
  readonly contentPath: string
  /** Where a running node says how to reach it. */
  readonly apiPath: string
}

const names = { identity: 'identity.json', genesis: 'genesis.cbor', view: 'view', content: 'content', api: 'api.json' }

/** Makes the folder and its key, and gives the account, so that a genesis can name it. */
export async function prepareHome(path: string): Promise<Identity> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return await loadOrCreateIdentity(join(path, names.identity))
}

/** Makes the folder a node of the ledger of this genesis. Doing so again is not an error; another ledger is. */
export async function initHome(path: string, genesis: GenesisBlock): Promise<Home> {
  const identity = await prepareHome(path)
  const known = await readIfThere(join(path, names.genesis))
  if (known === undefined) await writeDurably(join(path, names.genesis), genesis.bytes)
  else if (!Buffer.from(known).equals(genesis.bytes))
    throw new LedgerError('INVALID_ARGUMENT', `${path} belongs to another ledger: choose another folder`)
  return homeOf(path, genesis, identity)
}

/** Opens a folder that `init` made; `NOT_FOUND` otherwise. */
export async function openHome(path: string): Promise<Home> {
  const bytes = await readIfThere(join(path, names.genesis))
  const identity = await loadIdentity(join(path, names.identity))
  if (bytes === undefined || identity === undefined)
    throw new LedgerError('NOT_FOUND', `no ledger in ${path}: make or join one with "p2pl-ledger init"`)
  return homeOf(path, parseGenesis(bytes, join(path, names.genesis)), identity)
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
      `${file} is no genesis: ${reason}. Get it from somebody who takes part in the ledger`,
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
    viewPath: join(path, names.view),
    contentPath: join(path, names.content),
    apiPath: apiPathOf(path)
  }
}

/** The whole file or none of it, also when the machine stops in the midst. */
export async function writeDurably(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
