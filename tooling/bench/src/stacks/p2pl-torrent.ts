import { createPeer, type PeerAddress } from '@p2pl/core'
import { bittorrent } from '@p2pl/bittorrent'
import type { OpenStack } from './stack.ts'

/** Files of p2pl as any BitTorrent client gets them: by magnet link, in pieces. */
const p2plTorrent: OpenStack = async () => {
  const backend = bittorrent()
  const peer = await createPeer({ backend })
  return {
    self: async () => peer.network.self(),
    connect: (to) => peer.network.connect(to as PeerAddress),
    content: {
      add: async (bytes) => await backend.magnet((await peer.data.add(bytes)).cid),
      get: async (magnet) => {
        const { size } = await backend.importTorrent(magnet)
        return size
      },
      forget: async () => {
        for await (const { cid } of peer.data.pins()) await peer.data.unpin(cid)
        for await (const _ of peer.data.gc());
      }
    }
  }
}

export default p2plTorrent
