import { open, readFile, rm } from 'node:fs/promises'
import { type Identity, identityFromSeed } from '@p2pl/core'
import { LedgerError } from '../errors.ts'

/** Reads the key file, or makes one that only its owner can read (mode 0600). */
export async function loadOrCreateIdentity(path: string): Promise<Identity> {
  return (await loadIdentity(path)) ?? (await writeNewIdentity(path))
}

export async function loadIdentity(path: string): Promise<Identity | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const seed = parseSeed(text)
  if (seed === undefined)
    throw new LedgerError('INVALID_ARGUMENT', `${path} is not a key file: restore it, or use another folder`)
  return await identityFromSeed(seed)
}

async function writeNewIdentity(path: string): Promise<Identity> {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  const identity = await identityFromSeed(seed)
  const text = { type: 'ed25519', account: identity.id, seed: Buffer.from(seed).toString('base64url') }
  // `wx`: a key that is there is never written over.
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(text, undefined, 2)}\n`)
    await file.sync()
  } catch (error) {
    // Nobody has used this key: half of it must not stand in the way of the next attempt.
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
  return identity
}

function parseSeed(text: string): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('seed' in value) || typeof value.seed !== 'string')
      return undefined
    const seed = Buffer.from(value.seed, 'base64url')
    return seed.byteLength === 32 ? new Uint8Array(seed) : undefined
  } catch {
    return undefined
  }
}
