import { LedgerError } from '../errors.ts'
import { readIfThere, writeDurably } from './files.ts'

/** Names the ledger and account that a folder belongs to. It is written last, and reveals damage to the other files. */
export interface Manifest {
  readonly version: 1
  /** CID of the genesis. */
  readonly genesis: string
  readonly account: string
}

export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await writeDurably(path, `${JSON.stringify(manifest, undefined, 2)}\n`)
}

/** Throws `INVALID_CONTENT`, naming the file to restore, when the folder contradicts its manifest. */
export async function checkManifest(path: string, found: { genesis: string; account: string }): Promise<void> {
  const bytes = await readIfThere(path)
  // A folder that was assembled by hand has no manifest, nor has a folder whose `init` was killed.
  if (bytes === undefined) return
  const { version, genesis, account } = parse(Buffer.from(bytes).toString('utf8'))
  const wrong = (message: string): LedgerError => new LedgerError('INVALID_CONTENT', message)
  if (typeof version === 'number' && version !== 1)
    throw wrong(
      `${path} says that this folder is of version ${version}, which this program does not read: use another folder`
    )
  if (version !== 1 || typeof genesis !== 'string' || typeof account !== 'string')
    throw wrong(`${path} is damaged: remove it, nothing else needs it`)
  if (genesis !== found.genesis)
    throw wrong(
      `genesis.cbor beside ${path} is damaged, or of another ledger than ${genesis}: get it from another peer of that ledger, or remove ${path} if you exchanged it on purpose`
    )
  if (account !== found.account)
    throw wrong(
      `identity.json beside ${path} has not the key of ${account}: restore it, or remove ${path} if you exchanged it on purpose`
    )
}

function parse(text: string): Partial<Record<keyof Manifest, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
