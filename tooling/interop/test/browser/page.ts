// Runs inside a browser page. The test bundles it.
import { createPeer, type Peer, type PeerInfo } from '@p2pl/core'
import { helia, type HeliaOptions } from '@p2pl/helia'
import { openView, type View, type ViewOptions } from '@p2pl/sync'

let peer: Peer | undefined
let view: View | undefined

function running(): Peer {
  if (peer === undefined) throw new Error('nothing runs in this page')
  return peer
}

function opened(): View {
  if (view === undefined) throw new Error('no view is open in this page')
  return view
}

Object.assign(globalThis, {
  page: {
    start: async (options: HeliaOptions): Promise<void> => {
      peer = await createPeer({ backend: helia(options) })
    },
    self: () => running().network.self(),
    connect: async (other: readonly PeerInfo[]) => await running().network.connect(other),
    open: async (options: Omit<ViewOptions, 'peer'>): Promise<void> => {
      view = await openView({ peer: running(), beaconPeriod: 500, ...options })
    },
    append: async (text: string) => {
      await opened().append(new TextEncoder().encode(text))
    },
    root: async () => (await opened().digest()).root.toString(),
    payloads: async () => {
      const texts: string[] = []
      for await (const { payload } of opened().entries()) texts.push(new TextDecoder().decode(payload))
      return texts
    }
  }
})
