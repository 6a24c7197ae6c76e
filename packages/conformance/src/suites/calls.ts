import type {
  Backend,
  BlockCapabilities,
  Capabilities,
  ErrorCode,
  MessageCapabilities,
  RoutingCapabilities
} from '@p2pl/core/backend'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, messagesOf, routingOf, selfOf } from '../kit/parts.ts'
import { rawBlock, rawBlocks, uniqueBytes, uniqueName } from '../kit/samples.ts'
import { collect } from '../kit/time.ts'

type Invoke = (backend: Backend, signal?: AbortSignal) => Promise<unknown>

/** One call of the port, with harmless arguments. */
export interface Call {
  readonly operation: string
  /** Whether the backend has the part of this call. */
  readonly there: (capabilities: Capabilities) => boolean
  /** Whether the call does something. Otherwise it is refused. */
  readonly supported: (capabilities: Capabilities) => boolean
  /** How the call may fail by itself with these arguments. */
  readonly fails: readonly ErrorCode[]
  /** Makes the arguments. The returned function makes the call at once. */
  prepare(): Promise<Invoke>
}

/** A well-formed libp2p id that belongs to nobody. Engines with other ids may refuse it as an argument. */
const strangerId = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const nobody: readonly ErrorCode[] = ['NOT_FOUND', 'NO_PEERS', 'UNREACHABLE', 'INVALID_ARGUMENT']

interface Row {
  /** The capability field that says whether the call does something. Default: it always does. */
  readonly feature?: string
  readonly fails?: readonly ErrorCode[]
  readonly prepare: Call['prepare']
}

function calls(part: 'messages' | 'blocks' | 'routing', rows: Readonly<Record<string, Row>>): Call[] {
  return Object.entries(rows).map(([method, { feature, fails = [], prepare }]) => {
    const declared = (c: Capabilities): Readonly<Record<string, unknown>> | undefined =>
      c[part] as unknown as Readonly<Record<string, unknown>> | undefined
    return {
      operation: `${part}.${method}`,
      there: (c) => declared(c) !== undefined,
      supported: (c) => declared(c) !== undefined && (feature === undefined || declared(c)?.[feature] !== 'none'),
      fails,
      prepare
    }
  })
}

const withBlock =
  (call: (backend: Backend, block: Awaited<ReturnType<typeof rawBlock>>, signal?: AbortSignal) => Promise<unknown>) =>
  async (): Promise<Invoke> => {
    const block = await rawBlock()
    return async (backend, signal) => await call(backend, block, signal)
  }

const messages: Readonly<Record<string, Row & { feature?: keyof MessageCapabilities }>> = {
  publish: {
    fails: ['NO_PEERS'],
    prepare: async () => (b, signal) => messagesOf(b).publish(uniqueName('call'), uniqueBytes(16), { signal })
  },
  subscribe: {
    prepare: async () => async (b, signal) => {
      const subscription = await messagesOf(b).subscribe(uniqueName('call'), new Inbox(), { signal })
      await subscription.close()
    }
  },
  peers: { feature: 'peers', prepare: async () => (b, signal) => messagesOf(b).peers(uniqueName('call'), { signal }) }
}

const blocks: Readonly<Record<string, Row & { feature?: keyof BlockCapabilities }>> = {
  get: { fails: ['NOT_FOUND'], prepare: withBlock((b, { cid }, signal) => blocksOf(b).get(cid, { signal })) },
  putMany: {
    prepare: async () => {
      const many = await rawBlocks(3)
      return (b, signal) => blocksOf(b).putMany(many, { signal })
    }
  },
  has: { prepare: withBlock((b, { cid }, signal) => blocksOf(b).has(cid, { signal })) },
  delete: { prepare: withBlock((b, { cid }, signal) => blocksOf(b).delete(cid, { signal })) },
  pin: {
    feature: 'pins',
    fails: ['NOT_FOUND'],
    prepare: withBlock((b, { cid }, signal) => blocksOf(b).pin(cid, { signal }))
  },
  unpin: { feature: 'pins', prepare: withBlock((b, { cid }, signal) => blocksOf(b).unpin(cid, { signal })) },
  pins: { feature: 'pins', prepare: async () => (b, signal) => collect(() => blocksOf(b).pins({ signal })) },
  gc: { feature: 'gc', prepare: async () => (b, signal) => collect(() => blocksOf(b).gc({ signal })) }
}

const routing: Readonly<Record<string, Row & { feature: keyof RoutingCapabilities }>> = {
  provide: {
    feature: 'provide',
    fails: nobody,
    prepare: withBlock((b, { cid }, signal) => routingOf(b).provide(cid, { signal }))
  },
  unprovide: {
    feature: 'unprovide',
    fails: nobody,
    prepare: withBlock((b, { cid }, signal) => routingOf(b).unprovide(cid, { signal }))
  },
  findProviders: {
    feature: 'findProviders',
    prepare: withBlock((b, { cid }, signal) => collect(() => routingOf(b).findProviders(cid, { signal })))
  },
  findPeer: {
    feature: 'findPeer',
    fails: nobody,
    prepare: async () => (b, signal) => routingOf(b).findPeer(strangerId, { signal })
  },
  connect: {
    feature: 'connect',
    fails: nobody,
    prepare: async () => async (b, signal) => {
      // A backend that does not run has no network, and its refusal is what such a call tests.
      const network = networkOf(b)
      await routingOf(b).connect({ network, id: strangerId, addresses: [] }, { signal })
    }
  },
  disconnect: {
    feature: 'connect',
    fails: nobody,
    prepare: async () => (b, signal) => routingOf(b).disconnect(strangerId, { signal })
  },
  connections: { feature: 'connect', prepare: async () => (b, signal) => routingOf(b).connections({ signal }) }
}

function networkOf(backend: Backend): string {
  try {
    return selfOf(backend).network
  } catch {
    return 'none'
  }
}

/** Every call of the three parts. */
export const portCalls: readonly Call[] = [
  ...calls('messages', messages),
  ...calls('blocks', blocks),
  ...calls('routing', routing)
]
