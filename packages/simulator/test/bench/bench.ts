// node -C @p2pl/source packages/simulator/test/bench/bench.ts
// Deliveries and events per second of real time at 1,000 hosts whose handlers do nothing.
import { createSimulator } from '../../src/index.ts'

for (const [name, options] of [
  ['straight', {}],
  ['mesh', { mesh: { degree: 6 } }]
] as const) {
  const simulator = createSimulator({ seed: 1, latency: { min: 5, max: 25 }, ...options })
  const backends = Array.from({ length: 1000 }, (_, i) => simulator.backend(`h${i}`))
  for (const backend of backends) {
    await backend.start()
    await backend.messages!.subscribe('t', { message: () => 'accept', gap: () => undefined })
  }
  await simulator.run({ for: 2000 })
  const before = simulator.stats()
  const begin = performance.now()
  for (let i = 0; i < 500; i++) {
    await backends[i]!.messages!.publish('t', new Uint8Array(100))
    await simulator.run({ for: 10 })
  }
  await simulator.run({ for: 5000 })
  const seconds = (performance.now() - begin) / 1000
  const { delivered, events } = simulator.stats()
  const rate = (count: number): string => Math.round(count / seconds).toLocaleString('en')
  process.stdout.write(
    `${name}: ${rate(delivered - before.delivered)} deliveries/s, ${rate(events - before.events)} events/s\n`
  )
}
