import { P2plError } from '../errors.ts'
import { createIdentity, type Identity, identityFromSeed } from '../identity.ts'
import type { Backend } from '../port/backend.ts'

const name = 'identity'
const seedBytes = 32

/** The identity that a running backend keeps, created on first use. A new one if the backend keeps none. */
export async function storedIdentity({ secrets, name: backend }: Backend): Promise<Identity> {
  if (secrets === undefined) return await createIdentity()
  const known = await secrets.get(name)
  if (known === undefined) {
    const seed = crypto.getRandomValues(new Uint8Array(seedBytes))
    const identity = await identityFromSeed(seed)
    await secrets.set(name, seed)
    return identity
  }
  if (known.byteLength === seedBytes) return await identityFromSeed(known)
  throw new P2plError({
    code: 'STORAGE',
    operation: 'createPeer',
    backend,
    message: `the stored identity is damaged (${known.byteLength} bytes instead of ${seedBytes}): restore the file "${name}" from a backup, or remove it and the peer gets a new id`
  })
}
