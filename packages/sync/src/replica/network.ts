import type { Block, Peer, PeerInfo } from '@p2pl/core'
import { isP2plError } from '@p2pl/core'
import type { Bytes } from '../bytes.ts'
import { cidOf } from '../cid.ts'
import { encodeMessage } from '../wire/messages.ts'
import type { WireMessage } from '../wire/messages.ts'

export interface FetchOptions {
  readonly providers?: readonly PeerInfo[] | undefined
  /** Digest of the index root above the block. */
  readonly root?: Bytes | undefined
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}

export interface Listener {
  /** `sender` is a peer id whose signature was checked. The next message is not delivered until this resolves. */
  message(sender: string, payload: Uint8Array): Promise<void>
  gap(): void
}

/** What a replica needs from a network: sending bytes to all peers, and blocks by digest. */
export interface SyncNetwork {
  readonly id: string
  /** Sends to all peers of the topic. It reports no failures, because lost messages are made up for by comparing roots. */
  send(make: (providers: readonly PeerInfo[]) => WireMessage): void
  /** Resolves when the topic is joined. */
  listen(listener: Listener, signal: AbortSignal): Promise<void>
  fetch(digest: Bytes, options: FetchOptions): Promise<Bytes>
  /** The block, if it is stored locally. */
  local(digest: Bytes): Promise<Bytes | undefined>
  has(digest: Bytes): Promise<boolean>
  put(blocks: Iterable<Block> | AsyncIterable<Block>): Promise<void>
  remove(digest: Bytes): Promise<void>
  /** Whether stored blocks survive the end of the process. */
  readonly persistent: boolean
  /** Whether the backend keeps the blocks that it fetches. */
  readonly keepsFetched: boolean
}

/** Adapts a peer of core's app door to {@link SyncNetwork}. */
export function peerNetwork(peer: Peer, topicName: string): SyncNetwork {
  const topic = peer.topic(topicName)
  const { blocks } = peer
  return {
    id: peer.id,
    send: (make) => {
      const publish = async (): Promise<void> => {
        await topic.publish(encodeMessage(make(peer.network.self())), { recipients: 0 })
      }
      publish().catch(() => undefined)
    },
    listen: async (listener, signal) => {
      const subscription = topic.subscribe({ signal })
      await subscription.joined
      const read = async (): Promise<void> => {
        for await (const item of subscription) {
          if (item.type === 'gap') listener.gap()
          else await listener.message(item.sender, item.payload)
        }
      }
      // The iteration ends when the signal fires, or with an error when the peer stops. Both end the view's listening.
      read().catch(() => undefined)
    },
    fetch: async (digest, { providers, root, timeout, signal }) =>
      (await blocks.get(cidOf(digest), {
        providers,
        root: root === undefined ? undefined : cidOf(root),
        timeout,
        signal
      })) as Bytes,
    local: async (digest) => {
      try {
        return (await blocks.get(cidOf(digest), { local: true })) as Bytes
      } catch (error) {
        if (isP2plError(error)) return undefined
        throw error
      }
    },
    has: async (digest) => await blocks.has(cidOf(digest)),
    put: async (all) => {
      await blocks.putMany(all)
    },
    remove: async (digest) => {
      await blocks.delete(cidOf(digest))
    },
    persistent: (peer.capabilities.blocks?.persistence ?? 'none') !== 'none',
    keepsFetched: peer.capabilities.blocks?.keepsFetched ?? false
  }
}
