import type { Block, IncomingMessage, Joined, PeerInfo, StartOptions, TransportGap, Verdict } from '@p2pl/core/backend'
import { peerIdFromString } from '@libp2p/peer-id'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { settled } from '@p2pl/tooling-vitest/blocks'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterEach, expect, vi } from 'vitest'
import { bulkProtocol } from '../src/engine/bulk/frames.ts'
import type { Engine } from '../src/engine/engine.ts'
import { helia, type HeliaNode, type HeliaOptions } from '../src/index.ts'
import { selfOf } from './self.ts'

export { selfOf } from './self.ts'

export type Node = HeliaNode

/** The engine, with the parts of it that are not for users. */
export function engineOf(node: Node): Engine {
  if (node.engine === undefined) throw new Error('the node does not run')
  return node.engine as Engine
}

const toStop = new Set<Node>()

afterEach(async () => {
  await Promise.all([...toStop].map((backend) => backend.stop()))
  toStop.clear()
})

/** Not started; stopped after the test. */
export function make(options?: HeliaOptions): Node {
  const node = helia(options)
  toStop.add(node)
  return node
}

export async function started(options?: HeliaOptions, start?: StartOptions): Promise<Node> {
  const node = make(options)
  await node.start(start)
  return node
}

export async function startMany(count: number, options?: HeliaOptions): Promise<Node[]> {
  return await Promise.all(Array.from({ length: count }, () => started(options)))
}

/** Two nodes, the second connected to the first. */
export async function pair(options?: HeliaOptions): Promise<[Node, Node]> {
  const [a, b] = await Promise.all([started(options), started(options)])
  await b.routing.connect(selfOf(a))
  return [a, b]
}

/** Waits until the node knows that the other one speaks the bulk exchange. Who does not say so for a second is asked by Bitswap. */
export async function introduced(node: Node, other: Node): Promise<void> {
  const { peerStore } = engineOf(node).libp2p
  const id = peerIdFromString(selfOf(other).id)
  await until('the introduction', async () => {
    if (!(await peerStore.has(id))) return false
    return (await peerStore.get(id)).protocols.includes(bulkProtocol)
  })
}

/** Connects again and again, as core does, until the connection is there. */
export async function reconnect(node: Node, peer: PeerInfo): Promise<void> {
  await until('the connection', () =>
    node.routing.connect(peer).then(
      () => true,
      () => false
    )
  )
}

/**
 * Ends the connections to the peer. The engine looks a peer up before it tells the protocols, and a disk may be slow: here it does
 * when the function is called that this gives.
 */
export async function disconnectQuietly(node: Node, peer: Node): Promise<() => Promise<void>> {
  const { peerStore } = engineOf(node).libp2p
  const told = Promise.withResolvers<void>()
  const get = peerStore.get.bind(peerStore)
  const look = vi.spyOn(peerStore, 'get').mockImplementation(async (...args) => {
    await told.promise
    return await get(...args)
  })
  await node.routing.disconnect(selfOf(peer).id)
  expect(look).toHaveBeenCalled()
  look.mockRestore()
  return async () => {
    told.resolve()
    await settled()
  }
}

/** Puts one block. */
export async function put(node: Node, block: Block): Promise<void> {
  await node.blocks.putMany([block])
}

export async function blockOf(bytes: Uint8Array): Promise<Block> {
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export async function textBlock(text: string): Promise<Block> {
  return await blockOf(new TextEncoder().encode(text))
}

export interface Inbox {
  readonly texts: string[]
  readonly messages: IncomingMessage[]
  readonly gaps: TransportGap[]
  /** The gaps that came because connections were lost. */
  readonly disconnected: () => number
  readonly subscription: Joined
}

/** `judge` says what becomes of a text. */
export async function listen(
  node: Node,
  topic: string,
  judge: (text: string) => Verdict | Promise<Verdict> = () => 'accept'
): Promise<Inbox> {
  const messages: IncomingMessage[] = []
  const texts: string[] = []
  const gaps: TransportGap[] = []
  const subscription = await node.messages.subscribe(topic, {
    message: async (message) => {
      const text = new TextDecoder().decode(message.payload)
      const verdict = await judge(text)
      if (verdict === 'accept') {
        messages.push(message)
        texts.push(text)
      }
      return verdict
    },
    gap: (gap) => void gaps.push(gap)
  })
  const disconnected = (): number => gaps.filter(({ reason }) => reason === 'disconnected').length
  return { messages, texts, gaps, disconnected, subscription }
}

export async function say(node: Node, topic: string, text: string): Promise<number> {
  const { recipients } = await node.messages.publish(topic, new TextEncoder().encode(text))
  return recipients ?? -1
}

/** Waits until the node has `count` peers in the topic. */
export async function ready(node: Node, topic: string, count = 1): Promise<void> {
  await until(`${count} peers in ${topic}`, async () => (await node.messages.peers(topic)).length >= count)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Equality of large byte arrays; the matcher of the test runner takes seconds for a MiB. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

export async function manyBlocks(count: number, size: number, seed = 0): Promise<Block[]> {
  return await Promise.all(Array.from({ length: count }, (_, i) => blockOf(seededBytes(size, seed + i))))
}

/** Gets the blocks all at once, and compares them. */
export async function getAll(node: Node, blocks: readonly Block[]): Promise<void> {
  const signal = AbortSignal.timeout(100_000)
  const got = await Promise.all(blocks.map(({ cid }) => node.blocks.get(cid, { signal })))
  expect(got.every((bytes, i) => same(bytes, (blocks[i] as Block).bytes))).toBe(true)
}
