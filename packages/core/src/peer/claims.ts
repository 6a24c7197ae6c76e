import type { Data, Progress } from '../api/data.ts'
import type { Network } from '../api/network.ts'
import { P2plError } from '../errors.ts'
import type { ClaimStore } from '../topic/context.ts'

/** Bytes in a chunk of what importers other than ours make. */
const smallestUsualChunk = 256 * 1024

/** Large payloads, left with the data backend and fetched by CID. They stay until `gc`. */
export function createClaimStore(data: Data, network: Network): ClaimStore {
  return {
    put: async (payload, options) => {
      const { cid } = await data.add(payload, { ...options, pin: false, announce: false })
      return cid
    },
    get: async (cid, size, provider, signal) => {
      const providers = provider === undefined ? [] : [provider]
      // A hostile sender may lay out its payload as millions of blocks; who uses data.add needs few.
      const maxBlocks = 8 + 2 * Math.ceil(size / smallestUsualChunk)
      const onProgress = ({ blocks }: Progress): void => {
        if (blocks > maxBlocks) throw invalid(`a payload of ${size} bytes has more than ${maxBlocks} blocks`)
      }
      const payload = await data.bytes(cid, { maxBytes: size, providers, signal, onProgress })
      if (payload.byteLength === size) return payload
      throw invalid(`a payload was announced with ${size} bytes and has ${payload.byteLength}`)
    },
    self: () => network.self()
  }
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_CONTENT', operation: 'subscribe', message })
}
