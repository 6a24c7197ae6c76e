import type { SecretStore } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'

const keyOf = (name: string): Uint8Array => new TextEncoder().encode(name)

/** The id of this peer. It is the same at every start with this folder. */
export async function idIn(state: Table): Promise<string> {
  const key = keyOf('id')
  const stored = await state.get(key)
  const id = stored ?? new Uint8Array(randomBytes(16))
  if (stored === undefined) await state.write([{ key, value: id }])
  return Buffer.from(id).toString('hex')
}

/** Stores secrets of core, such as the seed of the identity that signs messages. */
export function secretStore(state: Table): SecretStore {
  return {
    get: async (name) => await state.get(keyOf(`secret/${name}`)),
    set: async (name, secret) => await state.write([{ key: keyOf(`secret/${name}`), value: secret.slice() }])
  }
}
