import {
  bytesKey,
  P2plError,
  type AbortOptions,
  type Block,
  type BlockTransport,
  type Capabilities,
  type ErrorCode,
  type MessageTransport,
  type RoutingTransport,
  type Subscriber
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { fakeCapabilities, type FakeBackend } from '../../src/fake/index.ts'
import type { ConformanceNetwork } from '../../src/index.ts'

/** A correct backend with exactly one promise broken. */
export interface Mutant {
  /** What is broken. */
  readonly name: string
  /** The test that has to catch it. */
  readonly caughtBy: RegExp
  readonly capabilities?: Capabilities | undefined
  /** What the fixture claims; by default nothing. */
  readonly claimed?: Capabilities | undefined
  mutate(node: FakeBackend): FakeBackend
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

export function messagesOf(node: FakeBackend): MessageTransport {
  return node.messages as MessageTransport
}

type Rest = Partial<Omit<Mutant, 'name' | 'caughtBy' | 'mutate'>>

export function inNode(
  name: string,
  caughtBy: RegExp,
  change: (node: FakeBackend) => Change<FakeBackend>,
  rest: Rest = {}
): Mutant {
  return { name, caughtBy, mutate: (node) => changed(node, change(node)), ...rest }
}

/** A mutant of one part. */
function inPart<P extends 'messages' | 'blocks' | 'routing'>(part: P) {
  type Part = NonNullable<FakeBackend[P]>
  return (name: string, caughtBy: RegExp, change: (inner: Part, node: FakeBackend) => Change<Part>, rest: Rest = {}) =>
    inNode(name, caughtBy, (node) => ({ [part]: changed(node[part] as Part, change(node[part] as Part, node)) }), rest)
}

type InPart<Part> = (
  name: string,
  caughtBy: RegExp,
  change: (inner: Part, node: FakeBackend) => Change<Part>,
  rest?: Rest
) => Mutant

export const inMessages: InPart<MessageTransport> = inPart('messages')
export const inBlocks: InPart<BlockTransport> = inPart('blocks')
export const inRouting: InPart<RoutingTransport> = inPart('routing')

/** Changes what happens to each block that is put. */
export function putting(
  name: string,
  caughtBy: RegExp,
  put: (block: Block, next: () => Promise<void>, node: FakeBackend) => Promise<void>,
  rest: Rest = {}
): Mutant {
  return inBlocks(
    name,
    caughtBy,
    (blocks, node) => ({
      putMany: async (many, options) => {
        if (!Array.isArray(many) || many.length === 0 || fired(options) || !runs(node))
          return await blocks.putMany(many, options)
        for (const block of many as Block[]) await put(block, async () => await blocks.putMany([block], options), node)
      }
    }),
    rest
  )
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

export const runs = (node: FakeBackend): boolean => node.engine !== undefined

export function failure(code: ErrorCode, operation: string, message: string): P2plError {
  return new P2plError({ code, operation, backend: 'fake', message })
}

/** As the stores of the fake name a block. */
export const keyOf = (cid: CID): string => bytesKey(cid.multihash.bytes)

/** A subscriber that hears nothing. */
export const deaf: Subscriber = { message: () => 'ignore', gap: () => undefined }
