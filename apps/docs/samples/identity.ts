import { createPeer, identityFromSeed } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { memory } from '@p2pl/memory'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// With a folder, the identity is stored there.
const dir = await mkdtemp(join(tmpdir(), 'p2pl-'))
const before = await createPeer({ backend: helia({ dir }) })
await before.stop()
const after = await createPeer({ backend: helia({ dir }) })
console.log('the same after a restart:', before.id === after.id)
await after.stop()
await rm(dir, { recursive: true })

// Without a folder, store the seed yourself: 32 random bytes, as secret as a password.
const identity = await identityFromSeed(crypto.getRandomValues(new Uint8Array(32)))
const peer = await createPeer({ backend: memory(), identity })
console.log(peer.id === identity.id)
await peer.stop()

// prints:
// the same after a restart: true
// true
