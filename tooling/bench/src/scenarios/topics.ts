import type { Child } from '../harness/child.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import type { Node } from '../roles/node.ts'
import { alternatives, type Competitor, gossipsub, otherBackends, p2pl, rawTcp, startNodes } from '../roles/nodes.ts'
import type { Producer } from '../roles/producers.ts'

const payloadBytes = 256
const topic = 'bench'

/** Peers that are all subscribed and linked. The first one publishes. */
async function subscribed(of: Competitor, peers: number, context: Context): Promise<Child<Node>[]> {
  const nodes = await startNodes(of, peers, context)
  for (const node of nodes) await node.call.listen(topic)
  for (const node of nodes) await node.call.ready(topic, peers - 1)
  return nodes
}

async function producing(
  of: Competitor,
  peers: number,
  producer: Producer,
  count: number,
  context: Context
): Promise<Side> {
  const nodes = await subscribed(of, peers, context)
  const [sender, ...receivers] = nodes.map((node) => node.call)
  return {
    run: async () => {
      const hearing = Promise.all(receivers.map((receiver) => receiver.heard(topic, count)))
      const begin = await sender!.produce(topic, producer, count, payloadBytes)
      const heard = await hearing
      const got = heard.reduce((sum, one) => sum + one.count, 0)
      const lost = count * receivers.length - got
      if (lost > 0) context.note(`${lost} of ${count * receivers.length} deliveries were lost in a run`)
      const last = Math.max(...heard.map((one) => one.last))
      return { figure: got / receivers.length / ((last - begin) / 1_000), work: got }
    }
  }
}

const how: Readonly<Record<Producer, string>> = {
  await: 'awaits each publish',
  yield: 'yields to the event loop after each',
  burst: 'publishes 1,024 at once'
}

/** A number of messages that takes a few seconds. */
function countOf(of: Competitor, producer: Producer, peers: number, quick: boolean): number {
  const fast = of.kind === 'limit' || of.kind === 'alternative' || (of.backend === 'helia' && producer !== 'await')
  const some = of.stack === 'helia' || of.stack === 'iroh' || of.backend === 'ipfs-rpc' ? 2_000 : fast ? 40_000 : 8_000
  return Math.ceil(some / (peers > 2 ? 4 : 1) / (quick ? 4 : 1))
}

function scenario(producer: Producer, peers: number): Scenario {
  const side = (of: Competitor, aim?: number) => ({
    ...of,
    aim,
    prepare: (context: Context) => producing(of, peers, producer, countOf(of, producer, peers, context.quick), context)
  })
  return {
    name: `topic-${peers}-${producer}`,
    title: `messages of ${payloadBytes} B from one peer at ${peers - 1} other${peers > 2 ? 's' : ''}; the publisher ${how[producer]}`,
    unit: 'messages/s',
    better: 'higher',
    sides: [
      side(p2pl),
      ...otherBackends.map((of) => side(of)),
      side(gossipsub, peers > 2 ? 20 : 40),
      ...alternatives('hyperswarm', 'iroh').map((of) => side(of)),
      side(rawTcp)
    ],
    runs: 5
  }
}

const scenarios: Scenario[] = [2, 8].flatMap((peers) =>
  (['await', 'yield', 'burst'] as const).map((producer) => scenario(producer, peers))
)

export default scenarios
