import type { Gossip } from './gossip.ts'

/** What the instance has beyond the published interface. */
interface Scored {
  readonly score?: {
    readonly params: { readonly topics: object }
    readonly peerStats: ReadonlyMap<string, { readonly topics: object }>
    addPeer(id: string): void
  }
}

/**
 * The engine keeps scores in plain objects by topic name, and looks them up with whatever name a message carries: one
 * message on the topic `__proto__`, from anybody, would write counters into `Object.prototype` of the whole process.
 * Without a prototype such a name is a name like any other.
 */
export function hardenScores(gossip: Gossip): void {
  const { score } = gossip as unknown as Scored
  if (score === undefined) return
  Object.setPrototypeOf(score.params.topics, null)
  const addPeer = score.addPeer.bind(score)
  score.addPeer = (id) => {
    addPeer(id)
    const topics = score.peerStats.get(id)?.topics
    if (topics !== undefined) Object.setPrototypeOf(topics, null)
  }
}
