import type { Gossip } from './engine.ts'
import type { Judge } from './judge.ts'

/** Points for a message that a peer sends for the third time or more often. */
const repetition = 0.1

/** Makes the engine's scores safe, and passes what they count to the judge. Call it before the engine starts. */
export function guardScores(gossip: Gossip, judge: Judge): void {
  const { score } = gossip
  // The engine keeps scores in plain objects by topic name, and looks up any name that a message carries. One message
  // on the topic `__proto__`, from anybody, would write counters into `Object.prototype` of the whole process. Without
  // a prototype, such a name has no special meaning.
  Object.setPrototypeOf(score.params.topics, null)
  const addPeer = score.addPeer.bind(score)
  score.addPeer = (id) => {
    const known = score.peerStats.get(id)
    if (known !== undefined) {
      // A returning peer keeps the score with which it left. The engine would give it a new one.
      known.connected = true
      known.expire = 0
      return
    }
    addPeer(id)
    const added = score.peerStats.get(id)
    if (added !== undefined) Object.setPrototypeOf(added.topics, null)
  }
  // A wrong signature. Every node checks signatures before it forwards a message, so this peer is to blame.
  score.rejectInvalidMessage = (id) => judge.charge(id)
  // A node sends each message to a peer once, and perhaps again when asked.
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
