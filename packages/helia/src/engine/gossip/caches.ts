import type { Gossip, MessageCache, TimeCache } from './engine.ts'

/** The most message ids in each of the engine's caches. */
const maxIds = 131_072
/** The most messages that are kept for peers that ask for them, and their bytes. */
const maxMessages = 16_384
const maxMessageBytes = 32 << 20

/**
 * Removes the oldest entries from the engine's caches. The engine limits them only by time, so a flood fills them. Call
 * it regularly.
 */
export function boundCaches({ seenCache, fastMsgIdCache, publishedMessageIds, score, mcache }: Gossip): void {
  for (const cache of [seenCache, fastMsgIdCache, publishedMessageIds]) boundIds(cache)
  const { queue, records } = score.deliveryRecords
  while (queue.length > maxIds) records.delete(queue.shift()?.msgId ?? '')
  boundMessages(mcache)
}

function boundIds({ entries }: TimeCache): void {
  for (const key of entries.keys()) {
    if (entries.size <= maxIds) return
    entries.delete(key)
  }
}

function boundMessages(mcache: MessageCache): void {
  let [count, bytes] = [0, 0]
  for (const window of mcache.history)
    for (const { msgIdStr } of window) {
      const entry = mcache.msgs.get(msgIdStr)
      if (entry === undefined) continue
      bytes += entry.message.data?.byteLength ?? 0
      if (++count > maxMessages || bytes > maxMessageBytes) mcache.remove(msgIdStr)
    }
}
