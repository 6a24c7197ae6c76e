import type {
  BlockCapabilities,
  Capabilities,
  MessageCapabilities,
  RoutingCapabilities,
  Support
} from '@p2pl/core/backend'

const supports = ['none', 'emulated', 'native'] as const
const senders = ['none', 'claimed', 'verified'] as const
const persistences = ['none', 'process', 'power'] as const

/** Sorts the weaker values first. */
function sorted<T>(scale: readonly T[], values: readonly T[]): T[] {
  return values.toSorted((a, b) => scale.indexOf(a) - scale.indexOf(b))
}

function weakest<T>(scale: readonly T[], values: readonly T[]): T {
  return sorted(scale, values)[0] as T
}

/**
 * The promise that several backends can make together. @param quorum - The number of backends that have a block when `put`
 * has resolved.
 */
export function meet(legs: readonly Capabilities[], quorum: number): Capabilities {
  return {
    messages: ofAll(legs, 'messages', meetMessages),
    blocks: ofAll(legs, 'blocks', (all) => meetBlocks(all, quorum)),
    routing: meetRouting(legs)
  }
}

function ofAll<P extends keyof Capabilities>(
  legs: readonly Capabilities[],
  part: P,
  join: (all: readonly NonNullable<Capabilities[P]>[]) => Capabilities[P]
): Capabilities[P] {
  const all = legs.flatMap((leg) => leg[part] ?? []) as NonNullable<Capabilities[P]>[]
  return all.length === legs.length ? join(all) : undefined
}

function meetMessages(all: readonly MessageCapabilities[]): MessageCapabilities {
  const support = (field: 'peers' | 'recipients' | 'gaps' | 'validation'): Support =>
    weakest(
      supports,
      all.map((leg) => leg[field])
    )
  const alone = all.length === 1
  return {
    // A message that one leg has taken is lost to a peer that no longer has this leg, and no leg knows about that.
    delivery: alone && all[0]?.delivery === 'reliable' ? 'reliable' : 'at-most-once',
    // Messages of one sender come over several legs.
    ordering: alone && all[0]?.ordering === 'sender' ? 'sender' : 'none',
    echo: all.some((leg) => leg.echo),
    maxMessageBytes: Math.min(...all.map((leg) => leg.maxMessageBytes)),
    pacing: Math.max(...all.map((leg) => leg.pacing)),
    peers: support('peers'),
    recipients: support('recipients'),
    gaps: support('gaps'),
    validation: support('validation'),
    sender: weakest(
      senders,
      all.map((leg) => leg.sender)
    )
  }
}

function meetBlocks(all: readonly BlockCapabilities[], quorum: number): BlockCapabilities {
  const support = (field: 'pins' | 'gc'): Support =>
    weakest(
      supports,
      all.map((leg) => leg[field])
    )
  const lasting = sorted(
    persistences,
    all.map((leg) => leg.persistence)
  )
  return {
    maxBlockBytes: Math.min(...all.map((leg) => leg.maxBlockBytes)),
    // Among any `quorum` legs, the most durable one is at least this good.
    persistence: lasting[quorum - 1] ?? 'none',
    remote: all.every((leg) => leg.remote),
    // Core bounds what strangers leave in a store, so one leg that keeps blocks is enough.
    keepsFetched: all.some((leg) => leg.keepsFetched),
    pins: support('pins'),
    gc: support('gc'),
    hashes: (all[0]?.hashes ?? []).filter((hash) => all.every((leg) => leg.hashes.includes(hash)))
  }
}

function meetRouting(legs: readonly Capabilities[]): RoutingCapabilities | undefined {
  const all = legs.map(({ routing }) => routing)
  const there = all.flatMap((routing) => routing ?? [])
  const weak = (field: 'provide' | 'unprovide' | 'findProviders' | 'findPeer'): Support =>
    weakest(
      supports,
      all.map((routing) => routing?.[field] ?? 'none')
    )
  // The legs of a peer's network dial it, so one leg that can dial is enough.
  const connect = sorted(
    supports,
    all.map((routing) => routing?.connect ?? 'none')
  ).at(-1) as Support
  if (there.length < legs.length && connect === 'none') return undefined
  return {
    provide: weak('provide'),
    unprovide: weak('unprovide'),
    findProviders: weak('findProviders'),
    findPeer: weak('findPeer'),
    connect,
    recordLifetime: Math.min(...there.map((routing) => routing.recordLifetime))
  }
}
