import { createPeer, isP2plError } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const dir = await mkdtemp(join(tmpdir(), 'p2pl-'))
const peer = await createPeer({ backend: helia({ dir, durability: 'power' }), durability: 'power' })
console.log(peer.capabilities.blocks?.persistence)
await peer.stop()
await rm(dir, { recursive: true })

// A backend that keeps less than the app needs is refused at once.
await createPeer({ backend: helia(), durability: 'process' }).catch((error) => {
  if (isP2plError(error)) console.log(error.code)
})

// prints:
// power
// UNSUPPORTED
