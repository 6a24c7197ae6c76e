import { randomBytes, randomInteger } from '../random.ts'
import type { Random } from '../random.ts'
import type { Ending } from '../simulator.ts'
import type { Stranger } from './stranger.ts'

export interface FloodOptions {
  readonly perSecond: number
  /** Makes each payload. Default: 0 to 1,000 random bytes. */
  readonly payload?: ((random: Random) => Uint8Array | Promise<Uint8Array>) | undefined
}

/** Publishes on the topic, `perSecond` times a second. */
export function flood(stranger: Stranger, topic: string, { perSecond, payload = noise }: FloodOptions): Ending {
  return stranger.repeat(perSecond, async () => {
    stranger.publish(topic, await payload(stranger.random))
  })
}

function noise(random: Random): Uint8Array {
  return randomBytes(random, randomInteger(random, 1001))
}
