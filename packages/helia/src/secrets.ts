import type { SecretStore } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'

const encoder = new TextEncoder()

/** Secrets of the peer, next to the private key of the node. Only its owner can read the folder. */
export function secretStore(state: Table): SecretStore {
  const keyOf = (name: string): Uint8Array => encoder.encode(`secret/${name}`)
  return {
    get: async (name) => await state.get(keyOf(name)),
    set: async (name, secret) => await state.write([{ key: keyOf(name), value: new Uint8Array(secret) }])
  }
}
