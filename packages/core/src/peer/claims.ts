import type { Data } from '../api/data.ts'
import type { Network } from '../api/network.ts'
import { P2plError } from '../errors.ts'
import type { ClaimStore } from '../topic/context.ts'

/** Large payloads, left with the data backend and fetched by CID. They stay until `gc`. */
export function createClaimStore(data: Data, network: Network): ClaimStore {
  return {
    put: async (payload, signal) => {
      const { cid } = await data.add(payload, { pin: false, announce: false, signal })
      return cid
    },
    get: async (cid, size, provider, signal) => {
      const providers = provider === undefined ? [] : [provider]
      const payload = await data.bytes(cid, { maxBytes: size, providers, signal })
      if (payload.byteLength === size) return payload
      throw new P2plError({
        code: 'INVALID_CONTENT',
        operation: 'subscribe',
        message: `a payload was announced with ${size} bytes and has ${payload.byteLength}`
      })
    },
    self: () => network.self()
  }
}
