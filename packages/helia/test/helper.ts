import type {
  Backend,
  Block,
  IncomingMessage,
  StartOptions,
  TransportGap,
  TransportSubscription
} from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterEach } from 'vitest'
import { helia } from '../src/index.ts'
import type { HeliaOptions } from '../src/index.ts'
import type { Blocks } from '@p2pl/embedded'
import type { Engine } from '../src/engine.ts'
import type { Messages } from '../src/messages.ts'
import type { HeliaRouting } from '../src/routing.ts'

/** A backend of this package has all three parts. */
export interface Node extends Backend {
  readonly messages: Messages
  readonly blocks: Blocks<Engine>
  readonly routing: HeliaRouting
}

const toStop = new Set<Backend>()

afterEach(async () => {
  await Promise.all([...toStop].map((backend) => backend.stop()))
  toStop.clear()
})

/** Not started; stopped after the test. */
export function make(options?: HeliaOptions): Node {
  const node = helia(options) as Node
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
  await b.routing.connect(a.self())
  return [a, b]
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
  readonly subscription: TransportSubscription
}

export async function listen(node: Backend, topic: string): Promise<Inbox> {
  const messages: IncomingMessage[] = []
  const texts: string[] = []
  const gaps: TransportGap[] = []
  const subscription = await (node as Node).messages.subscribe(topic, {
    message: (message) => {
      messages.push(message)
      texts.push(new TextDecoder().decode(message.payload))
    },
    gap: (gap) => void gaps.push(gap)
  })
  return { messages, texts, gaps, subscription }
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
