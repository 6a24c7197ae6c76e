import type { EventEmitter } from 'node:events'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import * as dagCbor from '@ipld/dag-cbor'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createHeliaLight } from 'helia'
import { alternative } from './alternatives.ts'
import type { OpenStack } from './stack.ts'

interface Database {
  readonly address: string
  readonly events: EventEmitter
  all(): Promise<readonly unknown[]>
  add(value: string): Promise<string>
}

interface OrbitDb {
  open(name: string, options: object): Promise<Database>
}

interface Module {
  createOrbitDB(options: object): Promise<OrbitDb>
  IPFSAccessController(options: object): object
}

interface Address {
  readonly addresses: readonly string[]
  readonly database: string
}

/** An event log of OrbitDB on Helia, in a folder. */
const orbitdb: OpenStack<{ readonly folder: string }> = async ({ folder }) => {
  const module = await alternative<Module>('@orbitdb/core')
  const ipfs = withBitswap(
    withLibp2pLight(createHeliaLight({ codecs: [dagCbor] }), {
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { inboundConnectionThreshold: 1_000 },
      services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
    })
  )
  await ipfs.start()
  const orbit = await module.createOrbitDB({ ipfs, directory: folder })
  let opened: Promise<Database> | undefined
  let target = 'bench'
  const database = (): Promise<Database> =>
    (opened ??= orbit.open(target, { type: 'events', AccessController: module.IPFSAccessController({ write: ['*'] }) }))

  return {
    self: async (): Promise<Address> => ({
      addresses: ipfs.libp2p.getMultiaddrs().map(String),
      database: (await database()).address
    }),
    connect: async (to) => {
      const { addresses, database: address } = to as Address
      target = address
      await ipfs.libp2p.dial(addresses.map((one) => multiaddr(one)))
    },
    log: {
      append: async (payload) => await (await database()).add(Buffer.from(payload).toString('base64')),
      catchUp: async (count) => {
        const at = await database()
        // One event reports all entries below a head.
        await new Promise<void>((resolve) => {
          const check = async (): Promise<void> => {
            if ((await at.all()).length >= count) resolve()
          }
          at.events.on('update', () => void check())
          void check()
        })
      }
    }
  }
}

export default orbitdb
