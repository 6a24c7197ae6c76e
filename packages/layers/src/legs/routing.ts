import { type HookOptions, P2plError, type PeerInfo, type RoutingHooks, unsupported } from '@p2pl/core/backend'
import { attempts } from './attempts.ts'
import { mostTelling, movesOn, nothingWorks } from './faults.ts'
import type { Leg } from './leg.ts'
import type { Legs } from './legs.ts'
import { staggered } from './staggered.ts'

type Routing = NonNullable<Leg['backend']['routing']>
type Feature = 'provide' | 'unprovide' | 'findProviders' | 'findPeer' | 'connect'
type Inner = Parameters<Routing['connections']>[0]

/** Searches go to all legs, records to the legs that have the content, and connections to the legs of the peer's network. */
export function routingHooks(name: string, legs: Legs, stagger: number): RoutingHooks {
  const able = (feature: Feature, list: readonly Leg[] = legs.candidates): readonly Leg[] =>
    list.filter(({ backend }) => (backend.capabilities.routing?.[feature] ?? 'none') !== 'none')

  const on = async <T>(
    leg: Leg,
    operation: string,
    options: HookOptions,
    work: (routing: Routing, inner: Inner) => Promise<T>
  ): Promise<T> => await legs.run(leg, operation, options, async (inner) => await work(routingOf(leg), inner))

  /** Makes the call on all of the legs. One success is enough. */
  const onAll = async <T>(
    list: readonly Leg[],
    operation: string,
    options: HookOptions,
    work: (routing: Routing, inner: Inner) => Promise<T>
  ): Promise<readonly T[]> => {
    const works = list.map(async (leg) => await on(leg, operation, options, work))
    const { values, errors } = await attempts(legs.clock, works, patience)
    if (values.length === 0) throw mostTelling(errors) ?? nothingWorks()
    return values
  }

  const onNetwork = (peer: PeerInfo): readonly Leg[] => {
    const all = able('connect', legs.all)
    const there = all.filter((leg) => leg.networks()?.includes(peer.network) === true)
    const running = there.filter((leg) => legs.candidates.includes(leg))
    if (running.length > 0) return running
    // The network of a leg that has never run is unknown.
    const hopes = there.length > 0 || all.some((leg) => leg.networks() === undefined)
    if (!hopes) throw unsupported(name, 'routing.connect', `none of its backends is on the network "${peer.network}"`)
    const message = `no backend that works now is on the network "${peer.network}": the peer is dialled when one is back`
    throw new P2plError({ code: 'UNREACHABLE', operation: 'routing.connect', message })
  }

  return {
    provide: async (cid, options) => {
      const list = able('provide')
      const holding = await Promise.all(
        list.map(async (leg) => {
          const { blocks } = leg.backend
          if (blocks === undefined) return false
          return await legs
            .run(leg, 'blocks.has', options, async (inner) => await blocks.has(cid, inner))
            .catch(() => false)
        })
      )
      const holders = list.filter((_leg, index) => holding[index])
      await onAll(holders.length > 0 ? holders : list, 'routing.provide', options, async (routing, inner) => {
        await routing.provide(cid, inner)
      })
    },
    unprovide: async (cid, options) => {
      await onAll(able('unprovide'), 'routing.unprovide', options, async (routing, inner) => {
        await routing.unprovide(cid, inner)
      })
    },
    findProviders: (cid, options) =>
      merged(legs, able('findProviders'), 'routing.findProviders', options, (routing, inner) =>
        routing.findProviders(cid, { ...inner, limit: options.limit })
      ),
    findPeer: async (id, options) =>
      await staggered(
        legs.clock,
        able('findPeer').map((leg) => ({
          after: stagger,
          run: async (signal) =>
            await on(leg, 'routing.findPeer', { signal, context: options.context }, async (routing, inner) =>
              routing.findPeer(id, inner)
            )
        })),
        options.signal
      ),
    connect: async (peer, options) => {
      await onAll(onNetwork(peer), 'routing.connect', options, async (routing, inner) => routing.connect(peer, inner))
    },
    disconnect: async (id, options) => {
      await onAll(able('connect'), 'routing.disconnect', options, async (routing, inner) =>
        routing.disconnect(id, inner)
      )
    },
    connections: async (options) =>
      (
        await onAll(able('connect'), 'routing.connections', options, async (routing, inner) =>
          routing.connections(inner)
        )
      ).flat(),
    parseAddress: (text) => {
      for (const { backend } of legs.all) {
        const peer = backend.routing?.parseAddress(text)
        if (peer !== undefined) return peer
      }
      return undefined
    },
    get bootstrap() {
      return legs.up.flatMap((leg) => leg.backend.routing?.bootstrap ?? [])
    }
  }
}

/** Once one leg has succeeded, the others get this many more milliseconds. */
const patience = 250

/** The results of several searches, as they come. Ends when all have ended. */
async function* merged<T>(
  legs: Legs,
  list: readonly Leg[],
  operation: string,
  options: HookOptions,
  open: (routing: Routing, inner: Inner) => AsyncIterable<T>
): AsyncGenerator<T, void, undefined> {
  const end = new AbortController()
  const searches = new Map<Leg, Promise<{ leg: Leg; item?: IteratorResult<T>; error?: unknown }>>()
  const errors: unknown[] = []
  const advance = (leg: Leg, iterator: AsyncIterator<T>): void => {
    const next = legs.run(leg, operation, options, async () => await iterator.next())
    searches.set(
      leg,
      next.then(
        (item) => ({ leg, item }),
        (error: unknown) => ({ leg, error })
      )
    )
  }
  try {
    const iterators = new Map(
      list.map((leg) => [
        leg,
        open(routingOf(leg), { signal: end.signal, context: options.context })[Symbol.asyncIterator]()
      ])
    )
    for (const [leg, iterator] of iterators) advance(leg, iterator)
    while (searches.size > 0) {
      const { leg, item, error } = await Promise.race(searches.values())
      searches.delete(leg)
      if (item === undefined) {
        if (options.signal.aborted || !movesOn(error)) throw error
        errors.push(error)
      } else if (item.done !== true) {
        advance(leg, iterators.get(leg) as AsyncIterator<T>)
        yield item.value
      }
    }
    if (errors.length === list.length) throw mostTelling(errors) ?? nothingWorks()
  } finally {
    end.abort(ended(operation))
  }
}

function ended(operation: string): P2plError {
  return new P2plError({ code: 'ABORTED', operation, message: `${operation} was ended by its reader` })
}

function routingOf(leg: Leg): Routing {
  return leg.backend.routing as Routing
}
