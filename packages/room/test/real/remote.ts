import type { PeerInfo } from '@p2pl/core'
import { until } from '@p2pl/tooling-vitest'
import { type RemoteScript, spawnScript } from '@p2pl/tooling-vitest/processes'
import type { RoomOptions } from '../../src/index.ts'
import type { Engine } from './engines.ts'
import type { Heard } from './peer.process.ts'

/** The least period: faults are noticed soon. */
const beat = 500

/** A peer of `peer.process.ts`, in the room. */
export interface RemotePeer extends Pick<RemoteScript, 'child' | 'ask' | 'kill'> {
  readonly name: string
  readonly id: string
  readonly topic: string
  readonly self: PeerInfo[]
}

/** Peers in processes of their own, in one room, each connected to the first. They see each other. */
export async function startRoom(
  engine: Engine,
  names: readonly string[],
  options: RoomOptions = {}
): Promise<RemotePeer[]> {
  const [first, ...others] = await Promise.all(names.map(async (name) => await startPeer(engine, name, options)))
  if (first === undefined) return []
  await Promise.all(others.map(async ({ ask }) => await ask('connect', first.self)))
  await seeEachOther(first, ...others)
  return [first, ...others]
}

export async function startPeer(engine: Engine, name: string, options: RoomOptions): Promise<RemotePeer> {
  const script = spawnScript(new URL('peer.process.ts', import.meta.url), engine)
  const { id, topic } = await script.ask<{ id: string; topic: string }>('join', { beat, ...options, name })
  return { ...script, name, id, topic, self: await script.ask<PeerInfo[]>('self') }
}

/** Waits until each sees the names of all others, and no more. */
export async function seeEachOther(...all: readonly RemotePeer[]): Promise<void> {
  await Promise.all(
    all.map(async ({ name, ask }) => {
      const others = all.map((other) => other.name).filter((other) => other !== name)
      await until(`${name} sees ${others.join(', ') || 'nobody'}`, async () => {
        const seen = await ask<string[]>('names')
        return String(seen.sort()) === String(others.sort())
      })
    })
  )
}

/** Waits until a peer has heard this payload, and gives all that it heard of it. */
export async function hears({ name, ask }: RemotePeer, payload: string): Promise<Heard[]> {
  return await until(`${name} hears ${payload}`, async () => {
    const found = (await ask<Heard[]>('heard')).filter((heard) => heard.payload === payload)
    return found.length > 0 && found
  })
}
