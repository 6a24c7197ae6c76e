import { createHash } from 'node:crypto'
import { plain } from './bytes.ts'

/** 20 bytes under which participants meet in the DHT and at trackers, like an infohash. */
export type Key = Uint8Array

/** Where the subscribers of a topic meet. */
export function topicKey(topic: string): Key {
  return keyOf('p2pl/topic/v1', Buffer.from(topic))
}

/** Where those who provide a block meet. */
export function contentKey(multihash: Uint8Array): Key {
  return keyOf('p2pl/cid/v1', multihash)
}

/** Where one participant can be met. */
export function peerKey(id: string): Key {
  return keyOf('p2pl/peer/v1', Buffer.from(id))
}

/** The infohash of the wires between participants: all topics and blocks of two of them share one connection. */
export const linkKey: Key = keyOf('p2pl/link/v1', new Uint8Array())

function keyOf(kind: string, name: Uint8Array): Key {
  return plain(createHash('sha1').update(`${kind}\0`).update(name).digest())
}
