import { createPeer, type Peer } from '@p2pl/core'
import { compose, type Layer } from '@p2pl/layers'
import { metrics } from '@p2pl/layers/metrics'
import { prometheusSink } from '@p2pl/layers/prometheus'
import { tracePeer, tracing } from '@p2pl/layers/tracing'
import { memory, MemoryNetwork } from '@p2pl/memory'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { usage } from '../harness/usage.ts'

// In one process and without a network, so that nothing hides the cost of a layer.

const payload = new Uint8Array(256)

interface Observed {
  readonly layers: readonly Layer[]
  readonly around?: (peer: Peer) => Peer
}

const bare = (): Observed => ({ layers: [] })
/** No OpenTelemetry SDK is registered here. */
const idleTracing = (): Observed => ({ layers: [tracing()], around: tracePeer })
const counted = (): Observed => ({ layers: [metrics(prometheusSink())] })

async function open(count: number, { layers, around = (peer) => peer }: Observed): Promise<Peer[]> {
  const network = new MemoryNetwork()
  return await Promise.all(
    Array.from({ length: count }, async () =>
      around(await createPeer({ backend: compose(memory({ network }), ...layers) }))
    )
  )
}

const timed = async (work: () => Promise<void>): Promise<number> => {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1_000
}

async function publishing(observed: Observed, count: number): Promise<Side> {
  const peers = await open(2, observed)
  const [sender, receiver] = peers.map((peer) => peer.topic('bench'))
  const subscription = receiver!.subscribe({ maxQueuedMessages: count })
  await subscription.joined
  return {
    run: async () => {
      const seconds = await timed(async () => {
        for (let i = 0; i < count; i++) {
          await sender!.publish(payload)
          await subscription.next()
        }
      })
      return { figure: count / seconds, work: count }
    },
    close: async () => void (await Promise.all(peers.map((peer) => peer.stop())))
  }
}

async function reading(observed: Observed, count: number): Promise<Side> {
  const [peer] = (await open(1, observed)) as [Peer]
  const cid = await peer.blocks.put(payload)
  return {
    run: async () => {
      const seconds = await timed(async () => {
        for (let i = 0; i < count; i++) await peer.blocks.has(cid)
      })
      return { figure: count / seconds, work: count }
    },
    close: async () => await peer.stop()
  }
}

type Work = (observed: Observed, count: number) => Promise<Side>

const compared = (name: string, title: string, unit: string, count: number, work: Work): Scenario[] => {
  const prepare =
    (observed: () => Observed) =>
    async ({ quick, meter }: Context): Promise<Side> => {
      // The sides take turns, so all usage of this process belongs to the current side.
      meter.add(async () => usage())
      return await work(observed(), quick ? count / 10 : count)
    }
  return [
    { key: 'tracing-idle', label: 'traced, no SDK registered', observed: idleTracing },
    { key: 'metrics', label: 'with metrics for Prometheus', observed: counted }
  ].map(({ key, label, observed }) => ({
    name: `${name}-${key}`,
    title,
    unit,
    better: 'higher',
    sides: [
      { label, kind: 'p2pl', prepare: prepare(observed) },
      { label: 'no layer', kind: 'p2pl', prepare: prepare(bare) }
    ]
  }))
}

const scenarios: Scenario[] = [
  ...compared('layer-publish', 'messages of 256 B one after the other, in memory', 'messages/s', 5_000, publishing),
  ...compared('layer-has', 'the cheapest call of a store in memory', 'calls/s', 50_000, reading)
]

export default scenarios
