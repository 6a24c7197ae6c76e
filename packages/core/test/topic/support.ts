import type { Limits } from '../../src/api/peer.ts'
import type { TopicItem } from '../../src/api/topic.ts'
import type { MessageCapabilities } from '../../src/backend.ts'
import type { Identity } from '../../src/identity.ts'
import { defaultDeadlines, defaultLimits } from '../../src/peer/defaults.ts'
import type { ClaimStore, TopicContext } from '../../src/topic/context.ts'
import type { BackendEvent } from '../../src/backend.ts'
import { RawTopic } from '../../src/topic/raw-topic.ts'
import { SignedTopic } from '../../src/topic/signed-topic.ts'
import type { Bus } from '../support/bus.ts'
import { fakeCryptography, fakeIdentity } from '../support/fake-crypto.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export interface Participant {
  readonly context: TopicContext
  readonly signed: SignedTopic
  readonly raw: RawTopic
  readonly identity: Identity
  readonly events: BackendEvent[]
}

export interface ParticipantOptions {
  clock?: VirtualClock
  limits?: Partial<Limits>
  capabilities?: Partial<MessageCapabilities>
  claims?: ClaimStore
  identity?: Identity
}

export async function participant(bus: Bus, name: string, options: ParticipantOptions = {}): Promise<Participant> {
  const backend = bus.backend(name, options.capabilities)
  const { messages: transport } = backend
  const { messages: capabilities } = backend.capabilities
  if (transport === undefined || capabilities === undefined) throw new Error('the bus has messages')
  const identity = options.identity ?? fakeIdentity()
  const events: BackendEvent[] = []
  const context: TopicContext = {
    backendName: name,
    transport,
    capabilities,
    selfId: () => name,
    claims: options.claims,
    identity,
    cryptography: fakeCryptography,
    clock: options.clock ?? new VirtualClock(),
    random: () => 0.5,
    limits: { ...defaultLimits, ...options.limits },
    deadlines: defaultDeadlines,
    onEvent: (event) => events.push(event),
    assertRunning: () => undefined
  }
  return { context, signed: new SignedTopic('t', context), raw: new RawTopic('t', context), identity, events }
}

/** Takes items until `count` messages were seen, or the subscription ends. */
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
