import type { BlockHooks, BlockTransport } from '../port/blocks.ts'
import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { OpenedBackend } from '../port/definition.ts'
import type { MessageTransport } from '../port/messages.ts'
import type { RoutingHooks, RoutingTransport } from '../port/routing.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Joins } from './joins.ts'

const defaultLimit = 20

/** What the parts of a backend are made with. */
export interface PartContext {
  readonly calls: Calls
  readonly checks: Checks
  /** The capabilities now: `start` may have refined them. */
  readonly capabilities: () => Capabilities
  readonly joins: () => Joins
  /** Tags what the engine says with its network. */
  readonly tagged: (peer: { readonly id: string; readonly addresses: readonly string[] }) => PeerInfo
}

export function messagePart({ calls, checks, capabilities, joins }: PartContext): MessageTransport {
  const declared = (): NonNullable<Capabilities['messages']> =>
    capabilities().messages as NonNullable<Capabilities['messages']>
  return {
    publish: (topic, payload, options) =>
      calls.call('messages.publish', options, ({ messages }, hook) => {
        checks.topic('messages.publish', topic)
        checks.payload('messages.publish', payload, declared().maxMessageBytes)
        return part(messages).publish(topic, payload, hook)
      }),
    subscribe: (topic, subscriber, options) =>
      calls.call('messages.subscribe', options, async (_engine, hook) => {
        checks.topic('messages.subscribe', topic)
        return await joins().subscribe(topic, subscriber, hook)
      }),
    peers: (topic, options) =>
      calls.call('messages.peers', options, async ({ messages }, hook) => {
        checks.topic('messages.peers', topic)
        if (declared().peers === 'none')
          throw checks.unsupported('messages.peers', 'cannot tell who listens to a topic')
        return await part(part(messages).peers?.(topic, hook))
      })
  }
}

export function blockPart({ calls, checks, capabilities }: PartContext): BlockTransport {
  const declared = (): NonNullable<Capabilities['blocks']> =>
    capabilities().blocks as NonNullable<Capabilities['blocks']>
  const blocksOf = ({ blocks }: OpenedBackend): BlockHooks => part(blocks)
  const refuse = (feature: 'pins' | 'gc', operation: string): void => {
    if (declared()[feature] === 'none') throw checks.unsupported(operation, `declares blocks.${feature} as none`)
  }
  return {
    get: (input, options) =>
      calls.call('blocks.get', options, (engine, hook) => {
        const cid = checks.cid('blocks.get', input, declared().hashes)
        const { local, remote, root } = options ?? {}
        if (local === true && remote === true) throw checks.invalid('blocks.get', 'give either local or remote')
        if (remote === true && !declared().remote) throw checks.unsupported('blocks.get', 'asks no other peers')
        const providers = checks.providers('blocks.get', options?.providers, () => engine.self().id)
        // Not spread: the signal is made when it is asked for.
        return blocksOf(engine).get(cid, Object.assign(hook, { local, remote, root, providers }))
      }),
    putMany: (given, options) =>
      calls.call('blocks.putMany', options, async (engine, hook) => {
        if (!Array.isArray(given)) throw checks.invalid('blocks.putMany', 'blocks are an array of { cid, bytes }')
        const { hashes, maxBlockBytes } = declared()
        const blocks = given.map((block) => checks.block('blocks.putMany', block, hashes, maxBlockBytes))
        if (blocks.length > 0) await blocksOf(engine).putMany(blocks, hook)
      }),
    has: (input, options) =>
      calls.call('blocks.has', options, (engine, hook) =>
        blocksOf(engine).has(checks.cid('blocks.has', input, declared().hashes), hook)
      ),
    delete: (input, options) =>
      calls.call('blocks.delete', options, async (engine, hook) =>
        blocksOf(engine).delete(checks.cid('blocks.delete', input, declared().hashes), hook)
      ),
    pin: (input, options) =>
      calls.call('blocks.pin', options, async (engine, hook) => {
        refuse('pins', 'blocks.pin')
        const cid = checks.cid('blocks.pin', input, declared().hashes)
        const { recursive = true, maxBytes, onProgress } = options ?? {}
        if (maxBytes !== undefined && !(maxBytes >= 0)) {
          throw checks.invalid('blocks.pin', 'maxBytes must be a number from 0')
        }
        const providers = checks.providers('blocks.pin', options?.providers, () => engine.self().id)
        await blocksOf(engine).pin?.(cid, { ...hook, recursive, maxBytes, onProgress, providers })
      }),
    unpin: (input, options) =>
      calls.call('blocks.unpin', options, async (engine, hook) => {
        refuse('pins', 'blocks.unpin')
        await blocksOf(engine).unpin?.(checks.cid('blocks.unpin', input, declared().hashes), hook)
      }),
    pins: (options) =>
      calls.iterate('blocks.pins', options, (engine, hook) => {
        refuse('pins', 'blocks.pins')
        return part(blocksOf(engine).pins?.(hook))
      }),
    gc: (options) =>
      calls.iterate('blocks.gc', options, (engine, hook) => {
        refuse('gc', 'blocks.gc')
        return part(blocksOf(engine).gc?.(hook))
      })
  }
}

export function routingPart({ calls, checks, capabilities, tagged }: PartContext): RoutingTransport {
  type Feature = 'provide' | 'unprovide' | 'findProviders' | 'findPeer' | 'connect'
  const routingOf = ({ routing }: OpenedBackend, feature: Feature, operation: string): RoutingHooks => {
    if ((capabilities().routing?.[feature] ?? 'none') === 'none') {
      throw checks.unsupported(operation, `declares routing.${feature} as none`)
    }
    return part(routing)
  }
  return {
    provide: (input, options) =>
      calls.call('routing.provide', options, async (engine, hook) => {
        const routing = routingOf(engine, 'provide', 'routing.provide')
        await routing.provide?.(checks.cid('routing.provide', input, undefined), hook)
      }),
    unprovide: (input, options) =>
      calls.call('routing.unprovide', options, async (engine, hook) => {
        const routing = routingOf(engine, 'unprovide', 'routing.unprovide')
        await routing.unprovide?.(checks.cid('routing.unprovide', input, undefined), hook)
      }),
    findProviders: (input, options) =>
      calls.iterate('routing.findProviders', options, (engine, hook) => {
        const routing = routingOf(engine, 'findProviders', 'routing.findProviders')
        const limit = checks.limit('routing.findProviders', options?.limit, defaultLimit)
        const cid = checks.cid('routing.findProviders', input, undefined)
        return distinct(part(routing.findProviders?.(cid, { ...hook, limit })), limit, engine.self().id)
      }),
    findPeer: (id, options) =>
      calls.call('routing.findPeer', options, async (engine, hook) => {
        const routing = routingOf(engine, 'findPeer', 'routing.findPeer')
        checks.id('routing.findPeer', id)
        return part(await routing.findPeer?.(id, hook))
      }),
    connect: (given, options) =>
      calls.call('routing.connect', options, async (engine, hook) => {
        const routing = routingOf(engine, 'connect', 'routing.connect')
        await routing.connect?.(checks.remotePeer('routing.connect', given, engine.self().id), hook)
      }),
    disconnect: (id, options) =>
      calls.call('routing.disconnect', options, async (engine, hook) => {
        const routing = routingOf(engine, 'connect', 'routing.disconnect')
        checks.id('routing.disconnect', id)
        await routing.disconnect?.(id, hook)
      }),
    connections: (options) =>
      calls.call('routing.connections', options, async (engine, hook) =>
        part(await routingOf(engine, 'connect', 'routing.connections').connections?.(hook))
      ),
    parseAddress: (text) => {
      const peer = calls.engine?.routing?.parseAddress?.(text)
      return peer === undefined ? undefined : tagged(peer)
    },
    get bootstrap() {
      return calls.engine?.routing?.bootstrap ?? []
    }
  }
}

/** Each peer once, at most `limit`, and never the own one. */
async function* distinct(
  peers: AsyncIterable<PeerInfo>,
  limit: number,
  ownId: string
): AsyncGenerator<PeerInfo, void, undefined> {
  const seen = new Set([ownId])
  for await (const peer of peers) {
    if (seen.has(peer.id)) continue
    seen.add(peer.id)
    yield peer
    // The own id takes no part in the count.
    if (seen.size > limit) return
  }
}

/** A part that `start` has proven to be there. */
function part<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a hook that the capabilities promise is missing')
  return value
}
