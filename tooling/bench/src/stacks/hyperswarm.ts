import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { alternative } from './alternatives.ts'
import type { OpenStack } from './stack.ts'

type Connection = Duplex & { readonly remotePublicKey: Buffer }

interface Dht {
  fullyBootstrapped(): Promise<void>
}

interface Swarm {
  readonly keyPair: { readonly publicKey: Buffer }
  readonly connections: ReadonlySet<Connection>
  listen(): Promise<void>
  joinPeer(publicKey: Buffer): void
  on(event: 'connection', listener: (connection: Connection) => void): void
}

interface HyperDht {
  new (options: object): Dht
  bootstrapper(port: number, host: string): Dht
}

interface Channel {
  addMessage(message: { onmessage(bytes: Buffer): void }): { send(bytes: Uint8Array): boolean }
  open(): void
  fullyOpened(): Promise<boolean>
}

interface Protomux {
  from(connection: Connection): { createChannel(options: { protocol: string }): Channel }
}

interface Address {
  readonly bootstrap: { host: string; port: number } | undefined
  readonly publicKey: Uint8Array
}

const host = '127.0.0.1'
const topic = 'bench'

/**
 * Connections of Hyperswarm, encrypted by Noise over UDX, with a Protomux channel on each. Peers do not relay: a
 * publisher sends each message to each peer.
 */
const hyperswarm: OpenStack = async () => {
  const { default: HyperDHT } = await alternative<{ default: HyperDht }>('hyperdht')
  const { default: Hyperswarm } = await alternative<{ default: new (options: object) => Swarm }>('hyperswarm')
  const { default: protomux } = await alternative<{ default: Protomux }>('protomux')
  const senders = new Map<Connection, { send(bytes: Uint8Array): boolean }>()
  let onMessage: (payload: Uint8Array) => void = () => undefined
  let swarm: Swarm | undefined
  let bootstrap: Address['bootstrap'] | undefined

  const open = async (): Promise<Swarm> => {
    if (swarm !== undefined) return swarm
    if (bootstrap === undefined) {
      bootstrap = { host, port: await freePort() }
      await HyperDHT.bootstrapper(bootstrap.port, host).fullyBootstrapped()
    }
    const dht = new HyperDHT({ bootstrap: [bootstrap], host, firewalled: false, ephemeral: false })
    swarm = new Hyperswarm({ dht })
    swarm.on('connection', (connection) => {
      connection.on('error', () => undefined)
      const channel = protomux.from(connection).createChannel({ protocol: topic })
      const message = channel.addMessage({ onmessage: (bytes) => onMessage(bytes) })
      channel.open()
      void channel.fullyOpened().then((isOpen) => {
        if (isOpen) senders.set(connection, message)
      })
    })
    await swarm.listen()
    return swarm
  }

  return {
    self: async (): Promise<Address> => {
      const { keyPair } = await open()
      return { bootstrap, publicKey: keyPair.publicKey }
    },
    connect: async (to) => {
      const { publicKey, bootstrap: at } = to as Address
      bootstrap ??= at
      ;(await open()).joinPeer(Buffer.from(publicKey))
    },
    messages: {
      subscribe: async (_, listener) => {
        onMessage = listener
      },
      ready: async (_, peers) => {
        while (senders.size < peers) await new Promise((resolve) => setTimeout(resolve, 20))
      },
      publish: async (_, payload) => {
        const full = [...senders].filter(([, message]) => !message.send(payload))
        await Promise.all(
          full.filter(([connection]) => connection.writableNeedDrain).map(([connection]) => once(connection, 'drain'))
        )
      }
    }
  }
}

/** A free UDP port: a bootstrap node requires a given port. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, host)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

export default hyperswarm
