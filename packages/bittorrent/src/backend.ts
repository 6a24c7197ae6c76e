import { defineBackend, type Block } from '@p2pl/core/backend'
import { blockHooks } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Engine } from './engine/engine.ts'
import { identityIn, newIdentity, secretStore } from './engine/identities.ts'
import { openStores } from './engine/stores.ts'
import { classify } from './errors.ts'
import { Messages } from './messages.ts'
import type { BittorrentOptions } from './options.ts'
import { network } from './peers.ts'
import { routingHooks } from './routing.ts'
import { resolveOptions } from './settings.ts'
import { formatAddress } from './tools/address.ts'
import { backendName } from './tools/failure.ts'
import type { BittorrentBackend } from './torrent-calls.ts'
import { torrentCalls } from './torrents.ts'

const maxSelfAddresses = 16

/**
 * Creates a backend that is a BitTorrent peer embedded in the process. The peer is not started. Throws
 * `INVALID_ARGUMENT` for a wrong option.
 */
export function bittorrent(options?: BittorrentOptions): BittorrentBackend {
  const settings = resolveOptions(options)
  const inMemory = settings.dir === undefined ? newIdentity() : undefined
  const backend = defineBackend<Engine>({
    name: backendName,
    network,
    capabilities: capabilitiesOf(settings),
    classify,
    open: async ({ signal, report }) => {
      const { dir, peers } = settings
      const stores = await openStores(settings, report)
      let stop = (): Promise<void> => stores.close()
      try {
        const identity = inMemory ?? (await identityIn(stores.state))
        const put = async (block: Block): Promise<void> => await blocks.putMany([block])
        const engine = new Engine({ options: settings, stores, identity, put, report, life: signal })
        stop = () => engine.stop()
        const { id, gate, overlay, provided, torrents } = engine
        const { links, dialler, wanted, rendezvous, queries, client, server } = overlay
        const reached = { links, dialler, rendezvous }
        const blocks = blockHooks({ ...reached, stores, client, server, sessions: torrents.sessions })
        await engine.start()
        return {
          self: () => ({ id, addresses: overlay.addresses().slice(0, maxSelfAddresses).map(formatAddress) }),
          messages: new Messages(overlay.gossip, overlay.topics),
          blocks,
          routing: routingHooks({ ...reached, gate, wanted, queries, provided, torrents, peers }),
          secrets: dir === undefined ? undefined : secretStore(stores.state),
          engine,
          close: stop
        }
      } catch (error) {
        await stop()
        throw error
      }
    }
  })
  return Object.assign(
    backend,
    torrentCalls(() => backend.engine, settings)
  ) as BittorrentBackend
}
