// Runs inside of a browser page: bundled by the test, without any of Node.
import { createIdentity, createPeer, P2plError } from '../../src/index.ts'
import { defineBackend, type Subscriber } from '../../src/backend.ts'
import type { Backend } from '../../src/index.ts'

/** What the page found, as data that can leave it. */
export interface PageResult {
  readonly ids: readonly string[]
  readonly sender: string | undefined
  readonly payload: string
  readonly cid: string
  readonly smallCid: string
  readonly equal: boolean
  readonly range: readonly number[]
  readonly refused: string
}

/** Two backends that share a bus and a store within the page. */
class Page {
  readonly #subscribers = new Map<string, Set<{ id: string; subscriber: Subscriber }>>()
  readonly store: Map<string, Uint8Array> = new Map()

  backend(id: string): Backend {
    const others = (topic: string): { id: string; subscriber: Subscriber }[] =>
      [...(this.#subscribers.get(topic) ?? [])].filter((each) => each.id !== id)
    return defineBackend({
      name: 'page',
      network: 'page',
      capabilities: {
        messages: {
          delivery: 'reliable',
          ordering: 'sender',
          echo: false,
          maxMessageBytes: 1_048_576,
          pacing: 0,
          peers: 'native',
          recipients: 'native',
          gaps: 'none',
          validation: 'none',
          sender: 'claimed'
        },
        blocks: {
          maxBlockBytes: 2_097_152,
          persistence: 'none',
          remote: false,
          keepsFetched: false,
          pins: 'none',
          gc: 'none',
          hashes: [0x12]
        }
      },
      open: async () => ({
        self: () => ({ id, addresses: [] }),
        close: async () => undefined,
        messages: {
          publish: async (topic, payload) => {
            const receivers = others(topic)
            for (const { subscriber } of receivers) void subscriber.message({ payload: payload.slice(), from: id })
            return { recipients: receivers.length }
          },
          join: async (topic, subscriber) => {
            const all = this.#subscribers.get(topic) ?? new Set()
            const entry = { id, subscriber }
            this.#subscribers.set(topic, all.add(entry))
            return {
              close: async () => {
                all.delete(entry)
              }
            }
          },
          peers: async (topic) => others(topic).map((each) => ({ network: 'page', id: each.id, addresses: [] }))
        },
        blocks: {
          get: async (cid) => {
            const bytes = this.store.get(cid.multihash.bytes.join())
            if (bytes === undefined) throw new P2plError({ code: 'NOT_FOUND', message: 'not here' })
            return bytes
          },
          putMany: async (blocks) => {
            for (const { cid, bytes } of blocks) this.store.set(cid.multihash.bytes.join(), bytes)
          },
          has: async (cid) => this.store.has(cid.multihash.bytes.join()),
          delete: async (cid) => void this.store.delete(cid.multihash.bytes.join())
        }
      })
    })
  }
}

async function run(size: number): Promise<PageResult> {
  const page = new Page()
  const identity = await createIdentity()
  const one = await createPeer({ backend: page.backend('one'), identity })
  const two = await createPeer({ backend: page.backend('two') })
  const subscription = two.topic('cloud').subscribe()
  await subscription.joined
  await one.topic('cloud').publish(new TextEncoder().encode('from a browser'))
  const item = (await subscription.next()).value
  await subscription.close()

  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31) % 251
  const { cid } = await one.data.add(new Blob([bytes]))
  const small = await one.data.add(new TextEncoder().encode('hello'))
  const back = await two.data.bytes(cid.toString())
  const range = await two.data.bytes(cid, { offset: 1_048_574, length: 4 })
  const equal = back.length === size && back.every((byte, i) => byte === bytes[i])
  // One changed byte in the store must not reach the app.
  for (const block of page.store.values()) if (block.length > 100_000) block[0] = (block[0] as number) ^ 1
  const refused = await two.data.bytes(cid).then(
    () => 'accepted',
    (error: unknown) => (error as P2plError).code
  )
  await one.stop()
  await two.stop()
  return {
    ids: [one.id, two.id],
    sender: item?.type === 'message' ? item.sender : undefined,
    payload: item?.type === 'message' ? new TextDecoder().decode(item.payload) : String(item?.type),
    cid: cid.toString(),
    smallCid: small.cid.toString(),
    equal,
    range: [...range],
    refused
  }
}

Object.assign(globalThis, { page: { run } })
