import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'

await using hub = await createPeer({ backend: helia() })
await using peer = await createPeer({ backend: helia() })

const met = new Promise<void>((resolve) => {
  peer.onEvent((event) => {
    if (event.type === 'degraded') console.error('cannot be used for now:', event.error.message)
    else if (event.type === 'recovered') console.error('can be used again')
    else if (event.type === 'warning') console.error(event.message)
    else {
      console.log(event.type)
      resolve()
    }
  })
})
await peer.network.connect(hub.network.self())
await met

// prints:
// peer:connect
