import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import {
  type BlockTransport,
  type DefinedBackend,
  defineBackend,
  type MessageTransport,
  type PeerInfo,
  type RoutingTransport
} from '@p2pl/core/backend'
import { refuseRuntime } from '#runtime/rules'
import { blockHooks } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Gater, peerIdOf } from './engine/connections/gater.ts'
import { startEngine, type Engine } from './engine/engine.ts'
import { addressTexts, network } from './engine/peers.ts'
import type { MemoryKey } from './engine/private-key.ts'
import { classify } from './errors.ts'
import { Messages, Topics } from './messages.ts'
import { resolveOptions, type Settings } from './options/settings.ts'
import type { HeliaOptions } from './options/types.ts'
import { routingHooks } from './routing.ts'
import { secretStore } from './secrets.ts'

/** The engine of a running backend. **Unstable**: it belongs to libp2p, and changes with it. */
export interface HeliaEngine {
  readonly libp2p: Libp2p
  readonly gossip: GossipSub
  /** `undefined` with `dht: false`. */
  readonly dht: SingleKadDHT | undefined
}

/** A backend that has all three parts. */
export interface HeliaNode extends DefinedBackend<HeliaEngine> {
  readonly messages: MessageTransport
  readonly blocks: BlockTransport
  readonly routing: RoutingTransport
}

/**
 * Creates a backend that is an IPFS node embedded in the process. The node is not started. Throws `INVALID_ARGUMENT`
 * for a wrong option.
 */
export function helia(options?: HeliaOptions): HeliaNode {
  const settings = resolveOptions(options)
  const bootstrap = bootstrapPeers(settings)
  const gater = new Gater(
    settings.profile,
    bootstrap.map(({ id }) => id)
  )
  const memoryKey: MemoryKey = {}
  return defineBackend<HeliaEngine>({
    name: 'helia',
    network,
    capabilities: capabilitiesOf(settings),
    classify,
    open: async ({ signal, report }) => {
      refuseRuntime()
      const topics = new Topics()
      const engine: Engine = await startEngine({ settings, gater, memoryKey, topics, report, signal })
      const { libp2p, stores } = engine
      return {
        self: () => ({ id: libp2p.peerId.toString(), addresses: addressTexts(libp2p.getMultiaddrs()) }),
        messages: new Messages(engine, topics, settings.gossip.degree),
        blocks: blockHooks(engine),
        routing: routingHooks({ engine, gater, bootstrap }),
        secrets: settings.dir === undefined ? undefined : secretStore(stores.state),
        engine,
        close: () => engine.stop()
      }
    }
  }) as HeliaNode
}

/** Each peer once, with all its addresses. */
function bootstrapPeers({ bootstrap }: Settings): PeerInfo[] {
  // This runs before the check of the runtime, so it uses nothing that Node 20 lacks.
  const byId = new Map<string, typeof bootstrap>()
  for (const address of bootstrap) {
    const id = peerIdOf(address) ?? ''
    byId.set(id, [...(byId.get(id) ?? []), address])
  }
  return [...byId].map(([id, addresses]) => ({ network, id, addresses: addressTexts(addresses) }))
}
