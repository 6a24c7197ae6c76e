import type { Gossip } from './engine.ts'
import type { Judge } from './judge.ts'

/** Points for a message that a peer sends for the third time, or more often. */
const repetition = 0.1

/** Makes the engine's scores safe, and hands what they count to the judge. Before the engine starts. */
export function guardScores(gossip: Gossip, judge: Judge): void {
  const { score } = gossip
  // The engine keeps scores in plain objects by topic name, and looks them up with whatever name a message carries: one message
  // on the topic `__proto__`, from anybody, would write counters into `Object.prototype` of the whole process. Without a
  // prototype such a name is a name like any other.
  Object.setPrototypeOf(score.params.topics, null)
  const addPeer = score.addPeer.bind(score)
  score.addPeer = (id) => {
    const known = score.peerStats.get(id)
    if (known !== undefined) {
      // A peer that comes back has the score with which it left; the engine would give it a new one.
      known.connected = true
      known.expire = 0
      return
    }
    addPeer(id)
    const added = score.peerStats.get(id)
    if (added !== undefined) Object.setPrototypeOf(added.topics, null)
  }
  // A false signature: every node checks signatures before it forwards, so this peer is the culprit.
  score.rejectInvalidMessage = (id) => judge.charge(id)
  // A node sends each message to a peer once, and perhaps again when it is asked to.
  const duplicateMessage = score.duplicateMessage.bind(score)
  score.duplicateMessage = (id, messageId, topic) => {
    if (score.deliveryRecords.records.get(messageId)?.peers.has(id) === true) judge.charge(id, repetition)
    duplicateMessage(id, messageId, topic)
  }
  const addPenalty = score.addPenalty.bind(score)
  score.addPenalty = (id, penalty, label) => {
    addPenalty(id, penalty, label)
    judge.charge(id, penalty)
  }
}
