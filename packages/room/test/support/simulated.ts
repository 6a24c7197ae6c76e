import { createPeer } from '@p2pl/core'
import { applySchedule, createSimulator, randomSchedule, type SimulatedHost, type Simulator } from '@p2pl/simulator'
import { joinRoom, type Room, type RoomMessage, type RoomOptions } from '../../src/index.ts'

export const secret: Uint8Array = new Uint8Array(32).fill(5)

/** One process of a host, in the room. */
export interface Life {
  readonly host: string
  readonly room: Room
  readonly heard: RoomMessage<unknown>[]
  readonly said: string[]
  /** How often each request was handled here. */
  readonly handled: Map<string, number>
  /** Answers that this process got, by request. */
  readonly answers: Map<string, unknown>
}

export interface Town {
  readonly simulator: Simulator
  /** All that there were; the last one of a host is alive. */
  readonly lives: Life[]
  readonly alive: Map<string, Life>
  readonly enter: (host: SimulatedHost) => Promise<void>
}

/** Hosts whose peers join one room, say something every few seconds and ask each other. */
export function town(seed: number, options: RoomOptions = {}, network: object = {}): Town {
  const simulator = createSimulator({ ...network, seed })
  const lives: Life[] = []
  const alive = new Map<string, Life>()
  const enter = async (host: SimulatedHost): Promise<void> => {
    const process = host.boot()
    const peer = await createPeer(process)
    const room = await joinRoom(peer, 'town', { name: host.id, ...options })
    const life: Life = { host: host.id, room, heard: [], said: [], handled: new Map(), answers: new Map() }
    lives.push(life)
    alive.set(host.id, life)
    room.onMessage((message) => life.heard.push(message))
    room.onRequest((word) => {
      const asked = word as string
      life.handled.set(asked, (life.handled.get(asked) ?? 0) + 1)
      return `answer to ${asked}`
    })
  }
  return { simulator, lives, alive, enter }
}

/** Every living peer says something and asks some other peer, once. */
export function talk({ alive, simulator }: Town, round: number): void {
  for (const life of alive.values()) {
    const word = `${life.host}/${life.room.peers.size}/${round}/${Math.floor(simulator.now)}`
    life.said.push(word)
    life.room.send(word).catch(() => undefined)
    const other = [...life.room.peers.keys()][round % Math.max(1, life.room.peers.size)]
    if (other === undefined) continue
    life.room.request(other, word).then(
      (answer) => life.answers.set(word, answer),
      () => undefined
    )
  }
}

/** A seeded minute of faults with talk in between; afterwards all faults are over. */
export async function troubledMinute(world: Town, seed: number, hosts: readonly string[]): Promise<void> {
  const { simulator, alive, enter } = world
  const schedule = randomSchedule(simulator.random('schedule'), { hosts, duration: 60_000, maxFaults: 8 })
  applySchedule(simulator, schedule, {
    start: enter,
    crashed: ({ id }) => alive.delete(id)
  })
  for (let round = 0; round < 20; round++) {
    await simulator.run({ for: 3_000 })
    talk(world, round + seed)
  }
  await simulator.run({ for: 5_000 })
}

export function seesAll({ alive }: Town): boolean {
  const ids = [...alive.values()].map(({ room }) => room.id).sort()
  return [...alive.values()].every(({ room }) => String([room.id, ...room.peers.keys()].sort()) === String(ids))
}
