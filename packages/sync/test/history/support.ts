import { createPeer, identityFromSeed } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { aroundCalls } from '@p2pl/core/backend'
import type { Subscriber } from '@p2pl/core/backend'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import type { MemoryNetwork } from '@p2pl/memory'
import { onTestFinished } from 'vitest'
import { topicWithHistory } from '../../src/history/index.ts'
import type { HistoryItem, HistoryMessage, TopicWithHistory, TopicWithHistoryOptions } from '../../src/history/index.ts'
import { memoryDatabase } from '../support/peers.ts'

/** What a test may do to the messages that come to a peer. */
export interface Way {
  /** Nothing comes; the engine knows it. */
  cut(): void
  /** Messages come again, and the engine says that some may be missing. */
  mend(lasted?: number): void
}

export interface Party {
  readonly peer: Peer
  readonly way: Way
  open<T = Uint8Array>(options?: Partial<TopicWithHistoryOptions<T>>): Promise<TopicWithHistory<T>>
}

/** Peers on one memory network, each with a store of its own that outlives its topic. Stopped after the test. */
export async function parties(count: number, network: MemoryNetwork = createMemoryNetwork()): Promise<Party[]> {
  return await Promise.all(Array.from({ length: count }, async (_, i) => await party(network, i + 1)))
}

async function party(network: MemoryNetwork, seed: number): Promise<Party> {
  const subscribers = new Set<Subscriber>()
  let isCut = false
  const layer = aroundCalls({
    subscriber: (subscriber) => {
      subscribers.add(subscriber)
      return { ...subscriber, message: (message) => (isCut ? 'ignore' : subscriber.message(message)) }
    }
  })
  const identity = await identityFromSeed(new Uint8Array(32).fill(seed))
  const peer = await createPeer({ backend: layer(memory({ network })), identity })
  onTestFinished(async () => await peer.stop())
  let store = memoryDatabase()
  return {
    peer,
    way: {
      cut: () => {
        isCut = true
        for (const subscriber of subscribers) subscriber.state?.('healing')
      },
      mend: (lasted) => {
        isCut = false
        for (const subscriber of subscribers) {
          subscriber.state?.('live')
          subscriber.gap({ reason: 'disconnected', lasted })
        }
      }
    },
    open: async <T>(options: Partial<TopicWithHistoryOptions<T>> = {}) => {
      const opened = await topicWithHistory<T>({ peer, topic: 'test', store, beaconPeriod: 50, ...options })
      onTestFinished(async () => await opened.close())
      return opened
    }
  }
}

/** The next items, gaps of the network left out unless asked for. */
export async function take<T>(
  items: AsyncIterator<HistoryItem<T>>,
  count: number,
  gaps: 'all' | 'of messages' = 'of messages'
): Promise<HistoryItem<T>[]> {
  const taken: HistoryItem<T>[] = []
  while (taken.length < count) {
    const { value, done } = await items.next()
    if (done === true) throw new Error(`the iteration ended after ${taken.length} items`)
    if (gaps === 'all' || value.type === 'message' || value.id !== undefined) taken.push(value)
  }
  return taken
}

export async function takeMessages<T>(
  items: AsyncIterator<HistoryItem<T>>,
  count: number
): Promise<HistoryMessage<T>[]> {
  const taken = await take(items, count)
  return taken.map((item) => {
    if (item.type === 'gap') throw new Error(`a gap: ${item.reason}`)
    return item
  })
}

export async function payloadsOf<T>(items: AsyncIterator<HistoryItem<T>>, count: number): Promise<T[]> {
  return (await takeMessages(items, count)).map(({ payload }) => payload)
}
