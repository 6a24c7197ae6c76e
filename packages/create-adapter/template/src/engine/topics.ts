import type { Subscriber } from '@p2pl/core/backend'

/** A joined topic, and the peers from which its messages come. When one of them is lost, messages may be missing. */
interface Topic {
  readonly subscriber: Required<Subscriber>
  readonly sources: Set<string>
  /** Sources that were lost, with the time of the loss. */
  readonly lost: Map<string, number>
}

const maxSources = 1000

/** The topics that this peer has joined. */
export class Topics {
  readonly #topics = new Map<string, Topic>()

  get names(): Iterable<string> {
    return this.#topics.keys()
  }

  join(name: string, subscriber: Required<Subscriber>): void {
    this.#topics.set(name, { subscriber, sources: new Set(), lost: new Map() })
  }

  leave(name: string): void {
    this.#topics.delete(name)
  }

  /** The peer has joined the topic as well, and may publish in it. */
  joined(name: string, peer: string): void {
    const topic = this.#topics.get(name)
    if (topic !== undefined && topic.sources.size < maxSources) topic.sources.add(peer)
  }

  deliver(name: string, payload: Uint8Array, from: string): void {
    this.joined(name, from)
    void this.#topics.get(name)?.subscriber.message({ payload, from })
  }

  /** The connection to the peer is lost: messages may be missing from now on, unless the peer has left. */
  disconnected(peer: string, left: boolean): void {
    for (const { subscriber, sources, lost } of this.#topics.values()) {
      if (!sources.delete(peer) || left) continue
      if (lost.size < maxSources) lost.set(peer, performance.now())
      subscriber.gap({ reason: 'disconnected' })
    }
  }

  /** The peer is back. Called before its next message. */
  connected(peer: string): void {
    for (const { subscriber, sources, lost } of this.#topics.values()) {
      const since = lost.get(peer)
      if (since === undefined) continue
      lost.delete(peer)
      sources.add(peer)
      subscriber.gap({ reason: 'disconnected', lasted: performance.now() - since })
    }
  }
}
