import type { Backend, Capabilities, Subscriber } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, messagesOf, routingOf } from '../kit/kit.ts'
import { rawBlock, uniqueBytes, uniqueName } from '../kit/samples.ts'
import { collect } from '../kit/time.ts'

/** One method of the port, called with harmless arguments. */
export interface Call {
  readonly operation: string
  /** Whether the part that it belongs to is there. */
  readonly part: (capabilities: Capabilities) => boolean
  /** Whether the method is there and does something. */
  readonly supported: (capabilities: Capabilities) => boolean
  invoke(backend: Backend, signal?: AbortSignal): Promise<unknown>
}

const messages = (c: Capabilities): boolean => c.messages !== undefined
const blocks = (c: Capabilities): boolean => c.blocks !== undefined
const routing = (c: Capabilities): boolean => c.routing !== undefined

const unknownCid = async (): Promise<CID> => (await rawBlock()).cid
const silent = (): Subscriber => new Inbox()

/** Every method of the three parts. */
export const calls: readonly Call[] = [
  {
    operation: 'messages.publish',
    part: messages,
    supported: messages,
    invoke: async (b, signal) => await messagesOf(b).publish(uniqueName('call'), uniqueBytes(16), { signal })
  },
  {
    operation: 'messages.subscribe',
    part: messages,
    supported: messages,
    invoke: async (b, signal) => {
      const subscription = await messagesOf(b).subscribe(uniqueName('call'), silent(), { signal })
      await subscription.close()
    }
  },
  {
    operation: 'messages.peers',
    part: messages,
    supported: (c) => c.messages !== undefined && c.messages.peers !== 'none',
    invoke: async (b, signal) => await messagesOf(b).peers(uniqueName('call'), { signal })
  },
  {
    operation: 'blocks.get',
    part: blocks,
    supported: blocks,
    invoke: async (b, signal) => await blocksOf(b).get(await unknownCid(), { signal })
  },
  {
    operation: 'blocks.put',
    part: blocks,
    supported: blocks,
    invoke: async (b, signal) => await blocksOf(b).put(await rawBlock(), { signal })
  },
  {
    operation: 'blocks.putMany',
    part: blocks,
    supported: blocks,
    invoke: async (b, signal) => await blocksOf(b).putMany([await rawBlock(), await rawBlock()], { signal })
  },
  {
    operation: 'blocks.has',
    part: blocks,
    supported: blocks,
    invoke: async (b, signal) => await blocksOf(b).has(await unknownCid(), { signal })
  },
  {
    operation: 'blocks.delete',
    part: blocks,
    supported: blocks,
    invoke: async (b, signal) => await blocksOf(b).delete(await unknownCid(), { signal })
  },
  {
    operation: 'blocks.pin',
    part: blocks,
    supported: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    invoke: async (b, signal) => await blocksOf(b).pin(await unknownCid(), { signal })
  },
  {
    operation: 'blocks.unpin',
    part: blocks,
    supported: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    invoke: async (b, signal) => await blocksOf(b).unpin(await unknownCid(), { signal })
  },
  {
    operation: 'blocks.pins',
    part: blocks,
    supported: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    invoke: async (b, signal) => await collect(() => blocksOf(b).pins({ signal }))
  },
  {
    operation: 'blocks.gc',
    part: blocks,
    supported: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    invoke: async (b, signal) => await collect(() => blocksOf(b).gc({ signal }))
  },
  {
    operation: 'blocks.getDag',
    part: (c) => c.blocks !== undefined && c.blocks.dag !== 'none',
    supported: (c) => c.blocks !== undefined && c.blocks.dag !== 'none',
    invoke: async (b, signal) => {
      const cid = await unknownCid()
      return await collect(() => blocksOf(b).getDag?.(cid, { signal }) ?? empty())
    }
  },
  ...(['provide', 'unprovide'] as const).map((method): Call => ({
    operation: `routing.${method}`,
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing[method] !== 'none',
    invoke: async (b, signal) => await routingOf(b)[method](await unknownCid(), { signal })
  })),
  {
    operation: 'routing.findProviders',
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing.findProviders !== 'none',
    invoke: async (b, signal) => {
      const cid = await unknownCid()
      return await collect(() => routingOf(b).findProviders(cid, { signal }))
    }
  },
  {
    operation: 'routing.findPeer',
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing.findPeer !== 'none',
    invoke: async (b, signal) => await routingOf(b).findPeer(strangerId, { signal })
  },
  {
    operation: 'routing.connect',
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing.connect !== 'none',
    invoke: async (b, signal) => await routingOf(b).connect({ id: strangerId, addresses: [] }, { signal })
  },
  {
    operation: 'routing.disconnect',
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing.connect !== 'none',
    invoke: async (b, signal) => await routingOf(b).disconnect(strangerId, { signal })
  },
  {
    operation: 'routing.connections',
    part: routing,
    supported: (c) => c.routing !== undefined && c.routing.connect !== 'none',
    invoke: async (b, signal) => await routingOf(b).connections({ signal })
  }
]

/** A well-formed libp2p id of nobody; engines with other ids may reject it as an argument. */
const strangerId = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

async function* empty(): AsyncGenerator<never> {}
