import { quantile } from '../harness/statistics.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { alternatives, type Competitor, gossipsub, otherBackends, p2pl, rawTcp, startNodes } from '../roles/nodes.ts'

const payloadBytes = 256
const perSecond = 100

async function pacing(of: Competitor, peers: number, context: Context): Promise<Side> {
  const count = (context.quick ? 2 : 10) * perSecond
  const nodes = await startNodes(of, peers, context)
  for (const node of nodes) await node.call.listen('bench', true)
  for (const node of nodes) await node.call.ready('bench', peers - 1)
  const [sender, ...receivers] = nodes.map((node) => node.call)
  return {
    run: async () => {
      const hearing = Promise.all(receivers.map((receiver) => receiver.heard('bench', count)))
      await sender!.pace('bench', count, payloadBytes, perSecond)
      const latencies = (await hearing).flatMap((heard) => [...heard.latencies])
      const lost = count * receivers.length - latencies.length
      if (lost > 0) context.note(`${lost} of ${count * receivers.length} deliveries were lost in a run`)
      return {
        figure: quantile(latencies, 0.5),
        work: latencies.length,
        also: { 'p99 ms': quantile(latencies, 0.99) }
      }
    }
  }
}

async function answering(of: Competitor, count: number, context: Context): Promise<Side> {
  const nodes = await startNodes(of, 2, context)
  const [asking, answerer] = nodes.map((node) => node.call)
  await answerer!.echo('question', 'answer')
  await asking!.listen('question')
  await asking!.listen('answer')
  await answerer!.listen('answer')
  for (const topic of ['question', 'answer']) for (const node of nodes) await node.call.ready(topic, 1)
  return {
    run: async () => {
      const { time } = await asking!.pingPong('question', 'answer', count, payloadBytes)
      return { figure: time / count, work: count }
    }
  }
}

function latency(peers: number): Scenario {
  const side = (of: Competitor, aim?: number) => ({
    ...of,
    aim,
    prepare: (context: Context) => pacing(of, peers, context)
  })
  return {
    name: `latency-${peers}`,
    title: `from publish to arrival at ${peers} peers, ${perSecond} messages of ${payloadBytes} B a second: the median`,
    unit: 'ms',
    better: 'lower',
    sides: [
      side(p2pl),
      ...otherBackends.map((of) => side(of)),
      side(gossipsub, 1),
      ...alternatives('hyperswarm', 'iroh').map((of) => side(of)),
      side(rawTcp)
    ],
    runs: 5
  }
}

const trip = (of: Competitor, aim?: number) => ({
  ...of,
  aim,
  prepare: (context: Context) => answering(of, 200, context)
})

const roundTrip: Scenario = {
  name: 'round-trip',
  title: `a message of ${payloadBytes} B and its answer`,
  unit: 'ms',
  better: 'lower',
  sides: [
    trip(p2pl),
    ...otherBackends.map((of) => trip(of)),
    trip(gossipsub, 0.95),
    ...alternatives('iroh').map((of) => trip(of)),
    trip(rawTcp)
  ]
}

const scenarios: Scenario[] = [latency(2), latency(8), roundTrip]

export default scenarios
