import type { Backend, IncomingMessage, Subscriber } from '@p2pl/core/backend'
import { createSimulator } from '../src/index.ts'
import type { Simulator, SimulatorOptions } from '../src/index.ts'

export interface World {
  readonly simulator: Simulator
  readonly backends: readonly Backend[]
  /** Message bytes as text, by the index of the receiver. */
  readonly heard: readonly string[][]
  readonly publish: (from: number, text: string) => Promise<number | undefined>
}

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** Hosts `h0`, `h1` … that run and are subscribed to the topic `t`. */
export async function world(count: number, options: Partial<SimulatorOptions> = {}): Promise<World> {
  const simulator = createSimulator({ seed: 1, latency: { min: 5, max: 25 }, ...options })
  const backends = Array.from({ length: count }, (_, i) => simulator.backend(`h${i}`))
  const heard: string[][] = backends.map(() => [])
  for (const [i, backend] of backends.entries()) {
    await backend.start()
    await listen(backend, heard[i]!)
  }
  // Meshes fit themselves to who has come.
  await simulator.run({ for: 2000 })
  return {
    simulator,
    backends,
    heard,
    publish: async (from, text) => (await backends[from]!.messages!.publish('t', encoder.encode(text))).recipients
  }
}

export async function listen(backend: Backend, heard: string[]): Promise<void> {
  await backend.messages!.subscribe(
    't',
    hearing(({ payload }) => heard.push(decoder.decode(payload)))
  )
}

/** A subscriber that accepts everything. */
export function hearing(hear: (message: IncomingMessage) => unknown): Subscriber {
  return {
    message: (message) => {
      hear(message)
      return 'accept'
    },
    gap: () => undefined
  }
}
