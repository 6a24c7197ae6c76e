import type { PeerInfo } from '@p2pl/core'
import { CID } from 'multiformats/cid'
import { isBytes, isCount, isText, isTuple } from './check.ts'

/** A large payload, stored encrypted: its root, its size in bytes, its key, and where to fetch it. */
export interface Stored {
  readonly cid: CID
  readonly size: number
  readonly key: Uint8Array
  readonly providers: readonly PeerInfo[]
}

export type Content = Uint8Array | Stored

const maxProviders = 4
const maxAddresses = 8
const maxText = 512

/** DAG-CBOR: the bytes, or `[cid, size, key, [[network, id, addresses]]]`. */
export function encodeContent(content: Content): unknown {
  if (content instanceof Uint8Array) return content
  const providers = content.providers
    .slice(0, maxProviders)
    .map(({ network, id, addresses }) => [network, id, addresses.slice(0, maxAddresses)])
  return [content.cid, content.size, content.key, providers]
}

export function parseContent(value: unknown): Content | undefined {
  if (isBytes(value)) return value
  if (!isTuple(value, 4)) return undefined
  const [link, size, key, list] = value
  const cid = CID.asCID(link)
  if (cid === null || !isCount(size) || !isBytes(key, 32) || !Array.isArray(list) || list.length > maxProviders) {
    return undefined
  }
  const providers = (list as unknown[]).map(parseProvider)
  if (providers.includes(undefined)) return undefined
  return { cid, size, key, providers: providers as PeerInfo[] }
}

function parseProvider(value: unknown): PeerInfo | undefined {
  if (!isTuple(value, 3)) return undefined
  const [network, id, addresses] = value
  if (!isText(network, maxText) || !isText(id, maxText) || !Array.isArray(addresses)) return undefined
  const list = addresses as unknown[]
  return list.length <= maxAddresses && list.every((text) => isText(text, maxText))
    ? { network, id, addresses: list }
    : undefined
}
