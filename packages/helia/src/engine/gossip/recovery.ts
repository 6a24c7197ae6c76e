import { BoundedMap } from '@p2pl/core/backend'
import type { Gossip } from './engine.ts'

/** The most messages, counted from the latest, that a returning peer is told of. */
const maxOffered = 1_024
/** A peer that returns repeatedly is told at most this often (ms). */
const pause = 1_000
const maxPeers = 1_024

interface Account {
  owed: boolean
  toldAt: number
}

/**
 * Tells a peer that was cut off which messages it may have missed, so that it can ask for them. The engine tells only
 * peers outside its mesh, and assumes that messages handed to a dead connection were received.
 */
export class Recovery {
  readonly #gossip: Gossip
  readonly #accounts = new BoundedMap<string, Account>(maxPeers)

  constructor(gossip: Gossip) {
    this.#gossip = gossip
  }

  /** Messages to this peer may have been lost. */
  owe(id: string): void {
    const account = this.#accounts.touch(id)
    if (account === undefined) this.#accounts.set(id, { owed: true, toldAt: -Infinity })
    else account.owed = true
  }

  /** Call it when there are streams in both directions, because the peer has to be able to ask. */
  tell(id: string): void {
    const account = this.#accounts.get(id)
    if (account?.owed !== true || performance.now() - account.toldAt < pause) return
    account.toldAt = performance.now()
    const ihave = [...this.#recent(id)].map(([topicID, messageIDs]) => ({ topicID, messageIDs }))
    // The peer may not have said yet which topics it is in.
    if (ihave.length === 0) return
    account.owed = false
    const control = { ihave, iwant: [], graft: [], prune: [], idontwant: [] }
    this.#gossip.sendRpc(id, { subscriptions: [], messages: [], control })
  }

  /** The latest messages of the topics that the peer is in. */
  #recent(id: string): Map<string, Uint8Array[]> {
    const { mcache, topics } = this.#gossip
    const ids = new Map<string, Uint8Array[]>()
    let count = 0
    for (const window of mcache.history)
      for (const { topic, msgId } of window.toReversed()) {
        if (topics.get(topic)?.has(id) !== true) continue
        if (++count > maxOffered) return ids
        const known = ids.get(topic)
        if (known === undefined) ids.set(topic, [msgId])
        else known.push(msgId)
      }
    return ids
  }
}
