import type { AbortOptions, BlockTransport, Capabilities, MessageTransport, Routing } from '@p2pl/core/backend'
import type { ConformanceNetwork } from '../../src/index.ts'
import { fakeCapabilities, type FakeNode } from '../../src/fake/index.ts'

/** A right backend with exactly one promise broken. */
export interface Mutant {
  /** What is broken. */
  readonly name: string
  /** The test that has to catch it. */
  readonly caughtBy: RegExp
  readonly capabilities?: Capabilities | undefined
  /** What the fixture claims; by default nothing. */
  readonly claimed?: Capabilities | undefined
  mutate(node: FakeNode): FakeNode
  /** Changes the fixture's network. */
  network?(network: ConformanceNetwork): ConformanceNetwork
}

export type Change<T> = { [K in keyof T]?: T[K] | undefined }

/** The same object with some members replaced. */
export function changed<T extends object>(inner: T, changes: Change<T>): T {
  return new Proxy(inner, {
    get: (target, name) => {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

export function messagesOf(node: FakeNode): MessageTransport {
  return node.messages as MessageTransport
}

export function blocksOf(node: FakeNode): BlockTransport {
  return node.blocks as BlockTransport
}

export function routingOf(node: FakeNode): Routing {
  return node.routing as Routing
}

type Rest = Partial<Omit<Mutant, 'name' | 'caughtBy' | 'mutate'>>

export function inNode(
  name: string,
  caughtBy: RegExp,
  change: (node: FakeNode) => Change<FakeNode>,
  rest: Rest = {}
): Mutant {
  return { name, caughtBy, mutate: (node) => changed(node, change(node)), ...rest }
}

export function inMessages(
  name: string,
  caughtBy: RegExp,
  change: (messages: MessageTransport, node: FakeNode) => Change<MessageTransport>,
  rest: Rest = {}
): Mutant {
  return inNode(
    name,
    caughtBy,
    (node) => ({ messages: changed(messagesOf(node), change(messagesOf(node), node)) }),
    rest
  )
}

export function inBlocks(
  name: string,
  caughtBy: RegExp,
  change: (blocks: BlockTransport, node: FakeNode) => Change<BlockTransport>,
  rest: Rest = {}
): Mutant {
  return inNode(name, caughtBy, (node) => ({ blocks: changed(blocksOf(node), change(blocksOf(node), node)) }), rest)
}

export function inRouting(
  name: string,
  caughtBy: RegExp,
  change: (routing: Routing, node: FakeNode) => Change<Routing>,
  rest: Rest = {}
): Mutant {
  return inNode(name, caughtBy, (node) => ({ routing: changed(routingOf(node), change(routingOf(node), node)) }), rest)
}

/** The fake's capabilities with some fields of one part replaced. */
export function declaring<P extends 'messages' | 'blocks' | 'routing'>(
  part: P,
  fields: Partial<NonNullable<Capabilities[P]>>
): { capabilities: Capabilities } {
  return { capabilities: { ...fakeCapabilities, [part]: { ...fakeCapabilities[part], ...fields } } }
}

/** Whether a call came with a signal that has fired already. */
export const fired = (options: AbortOptions | undefined): boolean => options?.signal?.aborted === true

export function keyOf(cid: { readonly multihash: { readonly bytes: Uint8Array } }): string {
  return Array.from(cid.multihash.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
