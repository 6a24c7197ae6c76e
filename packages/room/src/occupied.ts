import type { Peer } from '@p2pl/core'
import { invalidArgument } from '@p2pl/core/backend'

const topics = new WeakMap<Peer, Set<string>>()

/**
 * Allows a peer to be in a room only once, since it would otherwise be two peers with one id. Returns the function that
 * frees the topic again.
 */
export function occupy(peer: Peer, topic: string): () => void {
  const own = topics.get(peer) ?? new Set()
  topics.set(peer, own)
  if (own.has(topic)) {
    throw invalidArgument(
      'joinRoom',
      'this peer is in that room already: use room.channel(name) for another stream, or leave first'
    )
  }
  own.add(topic)
  return () => {
    own.delete(topic)
  }
}
