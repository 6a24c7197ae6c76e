import { createPeer, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory, type MemoryNetwork } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { joinRoom, type Json, type Room, type RoomEvent, type RoomMessage, type RoomOptions } from '../../src/index.ts'

export interface Present<T = Json> extends AsyncDisposable {
  readonly peer: Peer
  readonly room: Room<T>
  readonly heard: RoomMessage<T>[]
  readonly events: RoomEvent[]
}

export async function present<T = Json>(peer: Peer, name: string, options: RoomOptions<T> = {}): Promise<Present<T>> {
  const room = await joinRoom<T>(peer, name, { beat: 500, ...options })
  const heard: RoomMessage<T>[] = []
  const events: RoomEvent[] = []
  room.onMessage((message) => heard.push(message))
  room.onEvent((event) => events.push(event))
  return {
    peer,
    room,
    heard,
    events,
    [Symbol.asyncDispose]: async () => {
      await room.leave()
      await peer.stop()
    }
  }
}

export async function enter<T = Json>(
  network: MemoryNetwork,
  options: RoomOptions<T> = {},
  name = 'tool-library'
): Promise<Present<T>> {
  return await present(await createPeer({ backend: memory({ network }) }), name, options)
}

/** Peers in one room that see each other. */
export async function rooms(count: number, options: RoomOptions = {}): Promise<AsyncDisposable & Present[]> {
  const network = createMemoryNetwork()
  const all = await Promise.all(Array.from({ length: count }, async () => await enter(network, options)))
  await everybody(...all)
  return Object.assign(all, {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map(async (each) => await each[Symbol.asyncDispose]()))
    }
  })
}

/** Waits until these see each other. */
export async function everybody(...all: readonly Pick<Present<unknown>, 'room'>[]): Promise<void> {
  await until('everybody sees everybody', () =>
    all.every(({ room }) => all.every((other) => other.room === room || room.peers.has(other.room.id)))
  )
}

export function payloads<T>({ heard }: Pick<Present<T>, 'heard'>): T[] {
  return heard.map(({ payload }) => payload)
}
