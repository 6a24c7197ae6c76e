import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { alternative } from './alternatives.ts'
import type { OpenStack } from './stack.ts'

interface NodeAddr {
  readonly nodeId: string
}

interface Message {
  readonly neighborUp?: string
  readonly joined?: readonly string[]
  readonly received?: { readonly content: readonly number[] }
}

type Callback<T> = (error: Error | null, value: T) => void

interface IrohNode {
  readonly net: { nodeAddr(): Promise<NodeAddr>; addNodeAddr(address: NodeAddr): Promise<void> }
  readonly gossip: {
    subscribe(topic: number[], bootstrap: string[], onMessage: Callback<Message>): Promise<Sender>
  }
  readonly blobs: {
    addFromPath(
      path: string,
      inPlace: boolean,
      tag: object,
      wrap: object,
      onProgress: Callback<AddProgress>
    ): Promise<void>
    download(hash: string, options: object, onProgress: Callback<object>): Promise<void>
    size(hash: string): Promise<bigint>
    list(): Promise<{ value: string }[]>
    deleteBlob(hash: string): Promise<void>
  }
}

interface Sender {
  broadcast(message: number[]): Promise<void>
}

interface AddProgress {
  readonly allDone?: { readonly hash: string }
}

interface Module {
  readonly Iroh: { memory(options: object): Promise<IrohNode> }
  readonly BlobDownloadOptions: new (format: string, nodes: readonly NodeAddr[], tag: object) => object
  readonly SetTagOption: { auto(): object }
}

/** iroh keeps bytes in Rust. Unlike in the other stacks, received content is not passed to JavaScript. */
const iroh: OpenStack<{ readonly folder: string }> = async ({ folder }) => {
  const { Iroh, BlobDownloadOptions, SetTagOption } = await alternative<Module>('@number0/iroh')
  const node = await Iroh.memory({ nodeDiscovery: 'None', ipv4Addr: '127.0.0.1:0' })
  const known: NodeAddr[] = []
  const links = new Set<string>()
  const senders = new Map<string, Sender>()
  let files = 0

  return {
    self: () => node.net.nodeAddr(),
    connect: async (to) => {
      known.push(to as NodeAddr)
      await node.net.addNodeAddr(to as NodeAddr)
    },
    messages: {
      subscribe: async (topic, onMessage) => {
        const id = [...Buffer.alloc(32, topic)]
        const sender = await node.gossip.subscribe(
          id,
          known.map(({ nodeId }) => nodeId),
          (_, { neighborUp, joined = [], received }) => {
            for (const link of neighborUp === undefined ? joined : [neighborUp]) links.add(link)
            if (received !== undefined) onMessage(Uint8Array.from(received.content))
          }
        )
        senders.set(topic, sender)
      },
      // iroh uses few links and relays.
      ready: async (_, peers) => {
        while (links.size < Math.min(peers, 4)) await new Promise((resolve) => setTimeout(resolve, 20))
      },
      publish: (topic, payload) => (senders.get(topic) as Sender).broadcast([...payload])
    },
    content: {
      add: async (bytes) => {
        const path = join(folder, `file-${files++}`)
        await writeFile(path, bytes)
        return await new Promise((resolve, reject) => {
          void node.blobs
            .addFromPath(path, false, SetTagOption.auto(), { wrap: false }, (error, { allDone }) => {
              if (error !== null) reject(error)
              else if (allDone !== undefined) resolve(allDone.hash)
            })
            .catch(reject)
        })
      },
      get: async (hash) => {
        const options = new BlobDownloadOptions('Raw', known, SetTagOption.auto())
        await node.blobs.download(hash, options, () => undefined)
        return Number(await node.blobs.size(hash))
      },
      forget: async () => {
        for (const { value } of await node.blobs.list()) await node.blobs.deleteBlob(value)
      }
    }
  }
}

export default iroh
