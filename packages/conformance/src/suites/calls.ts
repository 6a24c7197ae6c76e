import type {
  Backend,
  BlockCapabilities,
  Capabilities,
  ErrorCode,
  MessageCapabilities,
  RoutingCapabilities
} from '@p2pl/core/backend'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, dagOf, messagesOf, routingOf } from '../kit/parts.ts'
import { rawBlock, rawBlocks, uniqueBytes, uniqueName } from '../kit/samples.ts'
import { collect } from '../kit/time.ts'

/** One method of the port, called with harmless arguments. */
export interface Call {
  readonly operation: string
  /** Whether the method is there: its part, and the method where it is optional. */
  readonly there: (capabilities: Capabilities) => boolean
  /** Whether it does something; otherwise it is refused. */
  readonly supported: (capabilities: Capabilities) => boolean
  /** How the call may fail by itself, with these arguments. */
  readonly fails: readonly ErrorCode[]
  /** Makes the arguments. The returned function calls the method at once. */
  prepare(): Promise<(backend: Backend, signal?: AbortSignal) => Promise<unknown>>
}

/** A well-formed libp2p id of nobody; engines with other ids may refuse it as an argument. */
const strangerId = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

type Make = Pick<Call, 'prepare'> & { readonly fails?: readonly ErrorCode[] }

function messages(method: string, make: Make, feature?: keyof MessageCapabilities): Call {
  return {
    operation: `messages.${method}`,
    there: (c) => c.messages !== undefined,
    supported: (c) => c.messages !== undefined && (feature === undefined || c.messages[feature] !== 'none'),
    fails: [],
    ...make
  }
}

function blocks(method: string, make: Make, feature?: keyof BlockCapabilities): Call {
  return {
    operation: `blocks.${method}`,
    there: (c) => c.blocks !== undefined && (feature !== 'dag' || c.blocks.dag !== 'none'),
    supported: (c) => c.blocks !== undefined && (feature === undefined || c.blocks[feature] !== 'none'),
    fails: [],
    ...make
  }
}

function routing(method: string, make: Make, feature: keyof RoutingCapabilities): Call {
  return {
    operation: `routing.${method}`,
    there: (c) => c.routing !== undefined,
    supported: (c) => c.routing !== undefined && c.routing[feature] !== 'none',
    fails: [],
    ...make
  }
}

const nobody: readonly ErrorCode[] = ['NOT_FOUND', 'NO_PEERS', 'UNREACHABLE', 'INVALID_ARGUMENT']

/** Every method of the three parts. */
export const calls: readonly Call[] = [
  messages('publish', {
    fails: ['NO_PEERS'],
    prepare: async () => (b, signal) => messagesOf(b).publish(uniqueName('call'), uniqueBytes(16), { signal })
  }),
  messages('subscribe', {
    prepare: async () => async (b, signal) => {
      const subscription = await messagesOf(b).subscribe(uniqueName('call'), new Inbox(), { signal })
      await subscription.close()
    }
  }),
  messages(
    'peers',
    { prepare: async () => (b, signal) => messagesOf(b).peers(uniqueName('call'), { signal }) },
    'peers'
  ),
  blocks('get', {
    fails: ['NOT_FOUND'],
    prepare: async () => {
      const { cid } = await rawBlock()
      return (b, signal) => blocksOf(b).get(cid, { signal })
    }
  }),
  blocks('put', {
    prepare: async () => {
      const block = await rawBlock()
      return (b, signal) => blocksOf(b).put(block, { signal })
    }
  }),
  blocks('putMany', {
    prepare: async () => {
      const many = await rawBlocks(3)
      return (b, signal) => blocksOf(b).putMany(many, { signal })
    }
  }),
  blocks('has', {
    prepare: async () => {
      const { cid } = await rawBlock()
      return (b, signal) => blocksOf(b).has(cid, { signal })
    }
  }),
  blocks('delete', {
    prepare: async () => {
      const { cid } = await rawBlock()
      return (b, signal) => blocksOf(b).delete(cid, { signal })
    }
  }),
  blocks(
    'pin',
    {
      fails: ['NOT_FOUND'],
      prepare: async () => {
        const { cid } = await rawBlock()
        return (b, signal) => blocksOf(b).pin(cid, { signal })
      }
    },
    'pins'
  ),
  blocks(
    'unpin',
    {
      prepare: async () => {
        const { cid } = await rawBlock()
        return (b, signal) => blocksOf(b).unpin(cid, { signal })
      }
    },
    'pins'
  ),
  blocks('pins', { prepare: async () => (b, signal) => collect(() => blocksOf(b).pins({ signal })) }, 'pins'),
  blocks('gc', { prepare: async () => (b, signal) => collect(() => blocksOf(b).gc({ signal })) }, 'gc'),
  blocks(
    'getDag',
    {
      fails: ['NOT_FOUND'],
      prepare: async () => {
        const { cid } = await rawBlock()
        return (b, signal) => collect(() => dagOf(b)(cid, { signal }))
      }
    },
    'dag'
  ),
  ...(['provide', 'unprovide'] as const).map((method) =>
    routing(
      method,
      {
        fails: nobody,
        prepare: async () => {
          const { cid } = await rawBlock()
          return (b, signal) => routingOf(b)[method](cid, { signal })
        }
      },
      method
    )
  ),
  routing(
    'findProviders',
    {
      prepare: async () => {
        const { cid } = await rawBlock()
        return (b, signal) => collect(() => routingOf(b).findProviders(cid, { signal }))
      }
    },
    'findProviders'
  ),
  routing(
    'findPeer',
    { fails: nobody, prepare: async () => (b, signal) => routingOf(b).findPeer(strangerId, { signal }) },
    'findPeer'
  ),
  routing(
    'connect',
    {
      fails: nobody,
      prepare: async () => (b, signal) => routingOf(b).connect({ id: strangerId, addresses: [] }, { signal })
    },
    'connect'
  ),
  routing(
    'disconnect',
    { fails: nobody, prepare: async () => (b, signal) => routingOf(b).disconnect(strangerId, { signal }) },
    'connect'
  ),
  routing('connections', { prepare: async () => (b, signal) => routingOf(b).connections({ signal }) }, 'connect')
]
