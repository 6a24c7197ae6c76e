import { rm } from 'node:fs/promises'
import { type Identity, identityFromSeed } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { createDurably, readIfThere } from './files.ts'

/** Reads the key file, or creates one that only its owner can read (mode 0600). An existing key is never overwritten. */
export async function loadOrCreateIdentity(path: string): Promise<Identity> {
  return (await loadIdentity(path)) ?? (await writeNewIdentity(path))
}

/** Returns `undefined` if there is no file. Throws `INVALID_CONTENT` for a damaged file. */
export async function loadIdentity(path: string): Promise<Identity | undefined> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  const file = parse(Buffer.from(bytes).toString('utf8'))
  if (file === undefined) throw damaged(path, bytes.byteLength === 0 ? 'it is empty' : 'it is no key file')
  const identity = await identityFromSeed(file.seed)
  if (file.account !== identity.id) throw damaged(path, 'its key is not that of the account that it names')
  return identity
}

/** Removes an empty file, left by a process that was killed before it wrote the key. */
export async function removeEmptyIdentity(path: string): Promise<void> {
  if ((await readIfThere(path))?.byteLength === 0) await rm(path, { force: true })
}

async function writeNewIdentity(path: string): Promise<Identity> {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  const identity = await identityFromSeed(seed)
  const text = { type: 'ed25519', account: identity.id, seed: Buffer.from(seed).toString('base64url') }
  await createDurably(path, `${JSON.stringify(text, undefined, 2)}\n`, 0o600)
  return identity
}

function damaged(path: string, reason: string): LedgerError {
  return new LedgerError(
    'INVALID_CONTENT',
    `${path} is damaged: ${reason}. It holds the key of this account: restore it from a copy. Without one, join with another folder and "init --genesis"`
  )
}

function parse(text: string): { seed: Uint8Array; account: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('seed' in value) || typeof value.seed !== 'string')
      return undefined
    const seed = Buffer.from(value.seed, 'base64url')
    if (seed.byteLength !== 32) return undefined
    return { seed: new Uint8Array(seed), account: 'account' in value ? value.account : undefined }
  } catch {
    return undefined
  }
}
