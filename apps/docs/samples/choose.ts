import { createBackends, loadConfig } from '@p2pl/config'
import { createPeer } from '@p2pl/core'

// From p2pl.config.yaml and P2PL_BACKEND=…; the defaults of this app have the lowest priority.
const config = await loadConfig({ defaults: { backend: 'memory' } })
const peer = await createPeer(await createBackends(config))
console.log(config.messages.use, config.data.use)
await peer.stop()

// prints:
// memory memory
