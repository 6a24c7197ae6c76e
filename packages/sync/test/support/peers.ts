import { createPeer, identityFromSeed } from '@p2pl/core'
import type { Identity, Peer, PeerOptions } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import type { MemoryNetwork } from '@p2pl/memory'
import { MemoryLevel } from 'memory-level'
import { openView } from '../../src/index.ts'
import type { View, ViewEvent, ViewOptions } from '../../src/index.ts'

export type TestDatabase = Exclude<ViewOptions['store'], string>

export function memoryDatabase(): TestDatabase {
  return new MemoryLevel<Uint8Array, Uint8Array>({
    storeEncoding: 'view',
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
}

export interface Member extends AsyncDisposable {
  readonly peer: Peer
  readonly view: View
  readonly events: ViewEvent[]
  readonly database: TestDatabase
}

const populations = new WeakMap<MemoryNetwork, number>()

/** The same identities in every run, so that CIDs, and with them the shape of an index, are the same as well. */
async function nextIdentity(network: MemoryNetwork): Promise<Identity> {
  const number = populations.get(network) ?? 0
  populations.set(network, number + 1)
  return await identityFromSeed(new Uint8Array(32).fill(number + 1))
}

/** Of the members, in milliseconds. */
export const beaconPeriod = 100

/** A peer on a memory network with a view of the topic `test`. */
export async function member(
  network: MemoryNetwork,
  options: Partial<ViewOptions> & { peerOptions?: Partial<PeerOptions> } = {}
): Promise<Member> {
  const { peerOptions, ...viewOptions } = options
  const identity = await nextIdentity(network)
  const peer = await createPeer({ backend: memory({ network }), identity, ...peerOptions })
  const events: ViewEvent[] = []
  const database = (viewOptions.store as TestDatabase | undefined) ?? memoryDatabase()
  const view = await openView({
    peer,
    topic: 'test',
    store: database,
    beaconPeriod,
    onEvent: (event) => events.push(event),
    ...viewOptions
  })
  return {
    peer,
    view,
    events,
    database,
    [Symbol.asyncDispose]: async () => {
      await view.stop()
      await peer.stop()
    }
  }
}

export async function members(count: number, options: Partial<ViewOptions> = {}): Promise<Member[]> {
  const network = createMemoryNetwork()
  return await Promise.all(Array.from({ length: count }, async () => await member(network, options)))
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
