import { randomBytes } from 'node:crypto'
import type { SecretStore } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'
import { identityOf, type Identity } from '../overlay/identity.ts'
import { seedLength } from '../overlay/wire/certificate.ts'
import { fromText } from '../tools/bytes.ts'

const seedKey = fromText('key')
const nodeKey = fromText('node')
const nodeIdLength = 20

/** The identity stored in the table, or a new one. */
export async function identityIn(state: Table): Promise<Identity> {
  const [seed, nodeId] = [await state.get(seedKey), await state.get(nodeKey)]
  if (seed !== undefined && nodeId !== undefined) return identityOf(seed, nodeId)
  const fresh = { seed: new Uint8Array(randomBytes(seedLength)), nodeId: new Uint8Array(randomBytes(nodeIdLength)) }
  await state.write([
    { key: seedKey, value: fresh.seed },
    { key: nodeKey, value: fresh.nodeId }
  ])
  return identityOf(fresh.seed, fresh.nodeId)
}

export function newIdentity(): Identity {
  return identityOf(new Uint8Array(randomBytes(seedLength)), new Uint8Array(randomBytes(nodeIdLength)))
}

/** Secrets of the peer, next to the key of its links. */
export function secretStore(state: Table): SecretStore {
  const keyOf = (name: string): Uint8Array => new Uint8Array(Buffer.from(`secret/${name}`))
  return {
    get: async (name) => await state.get(keyOf(name)),
    set: async (name, secret) => await state.write([{ key: keyOf(name), value: new Uint8Array(secret) }])
  }
}
