import { createHash } from 'node:crypto'
import { compactBytes } from '@p2pl/core/backend'

/** 20 bytes under which peers meet in the DHT, at trackers and by multicast, like an infohash. */
export type Key = Uint8Array

/** The key under which the subscribers of a topic meet. */
export function topicKey(topic: string): Key {
  return keyOf('p2pl/topic/v2', Buffer.from(topic))
}

/** The key under which the providers of a block are found. */
export function contentKey(multihash: Uint8Array): Key {
  return keyOf('p2pl/cid/v2', multihash)
}

/** The key under which one peer is found. */
export function peerKey(id: string): Key {
  return keyOf('p2pl/peer/v2', Buffer.from(id))
}

/** The infohash of links. It includes the version of the whole protocol, so peers of another version are strangers. */
export const linkKey: Key = keyOf('p2pl/link/v2', new Uint8Array())

function keyOf(kind: string, name: Uint8Array): Key {
  return compactBytes(createHash('sha1').update(`${kind}\0`).update(name).digest())
}
