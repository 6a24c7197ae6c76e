import type { Limits } from '../../src/api/peer.ts'
import type { Topic, TopicItem } from '../../src/api/topic.ts'
import type { BackendEvent, MessageCapabilities, MessageTransport } from '../../src/backend.ts'
import type { Cryptography, Identity } from '../../src/identity.ts'
import { defaultLimits, defaultTimeouts } from '../../src/peer/defaults.ts'
import { ClaimFetcher, type ClaimSource } from '../../src/topic/claim-fetcher.ts'
import type { TopicContext } from '../../src/topic/context.ts'
import { Pacer } from '../../src/topic/pacer.ts'
import { Topics } from '../../src/topic/topics.ts'
import type { Bus } from '../support/bus.ts'
import { fakeCryptography, fakeIdentity } from '../support/fake-crypto.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface TestPeer {
  readonly context: TopicContext
  /** A test may replace its methods. */
  readonly transport: Mutable<MessageTransport>
  readonly clock: VirtualClock
  readonly topics: Topics
  readonly signed: Topic
  readonly raw: Topic
  readonly identity: Identity
  readonly events: BackendEvent[]
}

export interface TestPeerOptions {
  clock?: VirtualClock
  limits?: Partial<Limits>
  capabilities?: Partial<MessageCapabilities>
  cryptography?: Cryptography
  random?: () => number
  claims?: { put: NonNullable<TopicContext['claims']>['put']; get: ClaimSource['fetch'] }
  identity?: Identity
}

let sessions = 0

export async function testPeer(bus: Bus, name: string, options: TestPeerOptions = {}): Promise<TestPeer> {
  const backend = bus.backend(name, options.capabilities)
  await backend.start()
  const { messages } = backend
  const { messages: capabilities } = backend.capabilities
  if (messages === undefined || capabilities === undefined) throw new Error('the bus has messages')
  const transport: Mutable<MessageTransport> = { ...messages }
  const identity = options.identity ?? fakeIdentity()
  const events: BackendEvent[] = []
  const clock = options.clock ?? new VirtualClock()
  const environment = {
    clock,
    random: options.random ?? (() => (++sessions % 1_000) / 1_000),
    cryptography: options.cryptography ?? fakeCryptography
  }
  const { claims } = options
  const context: TopicContext = {
    backendName: name,
    transport,
    capabilities: () => capabilities,
    self: () => backend.self(),
    claims: claims && {
      put: claims.put,
      fetcher: new ClaimFetcher({ probe: async () => undefined, fetch: claims.get }, environment)
    },
    pacer: new Pacer(clock, () => capabilities.pacing),
    identity,
    environment,
    limits: { ...defaultLimits, ...options.limits },
    timeouts: defaultTimeouts,
    onEvent: (event) => events.push(event),
    assertRunning: () => undefined
  }
  const topics = new Topics(() => context)
  const signed = topics.handle<Uint8Array>('t') as unknown as Topic
  const raw = topics.handle<Uint8Array>('t', { mode: 'raw' }) as unknown as Topic
  return { context, transport, clock, topics, signed, raw, identity, events }
}

/** Takes items until `count` were seen, or the subscription ends. */
export async function take(source: AsyncIterator<TopicItem>, count: number): Promise<TopicItem[]> {
  const items: TopicItem[] = []
  while (items.length < count) {
    const next = await source.next()
    if (next.done === true) break
    items.push(next.value)
  }
  return items
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export function payloads(items: readonly TopicItem[]): string[] {
  return items.flatMap((item) => (item.type === 'message' ? [new TextDecoder().decode(item.payload)] : []))
}
