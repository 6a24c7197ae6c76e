import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { closeAll, type Stack, startNodes } from '../nodes/node.ts'

const payloadBytes = 256

async function linked(stack: Stack, context: Context): Promise<Awaited<ReturnType<typeof startNodes>>> {
  const nodes = await startNodes(stack, 2, context)
  for (const node of nodes) await node.call.listen('bench')
  for (const node of nodes) await node.call.ready('bench')
  return nodes
}

async function flooding(stack: Stack, count: number, context: Context): Promise<Side> {
  const nodes = await linked(stack, context)
  const [sender, receiver] = nodes.map((node) => node.call)
  return {
    run: async () => {
      const heard = receiver!.heard('bench', count)
      const begin = await sender!.flood('bench', count, payloadBytes)
      const { count: got, last } = await heard
      if (got !== count) context.note(`${stack}: ${count - got} of ${count} messages were lost in a run`)
      return { figure: got / ((last - begin) / 1_000), work: got }
    },
    close: () => closeAll(nodes)
  }
}

async function publishing(stack: Stack, count: number, context: Context): Promise<Side> {
  const nodes = await linked(stack, context)
  const [sender, receiver] = nodes.map((node) => node.call)
  return {
    run: async () => {
      const heard = receiver!.heard('bench', count)
      const { time } = await sender!.publish('bench', count, payloadBytes)
      const { count: got } = await heard
      if (got !== count) context.note(`${stack}: ${count - got} of ${count} messages were lost in a run`)
      return { figure: count / (time / 1_000), work: count }
    },
    close: () => closeAll(nodes)
  }
}

async function answering(stack: Stack, count: number, context: Context): Promise<Side> {
  const nodes = await startNodes(stack, 2, context)
  const [asking, answerer] = nodes.map((node) => node.call)
  await answerer!.echo('question', 'answer')
  await asking!.listen('question')
  await asking!.listen('answer')
  await answerer!.listen('answer')
  for (const topic of ['question', 'answer']) for (const node of nodes) await node.call.ready(topic)
  return {
    run: async () => {
      const { time } = await asking!.pingPong('question', 'answer', count, payloadBytes)
      return { figure: time / count, work: count }
    },
    close: () => closeAll(nodes)
  }
}

const bare = 'bare gossipsub, StrictSign'
const scenarios: Scenario[] = [
  {
    name: 'topic-flood',
    title: `messages of ${payloadBytes} B at the receiver, as fast as they go`,
    unit: 'messages/s',
    better: 'higher',
    aim: { ratio: 5 },
    baseline: { label: bare, prepare: (context) => flooding('bare', context.quick ? 2_000 : 5_000, context) },
    subject: { label: 'p2pl', prepare: (context) => flooding('p2pl', context.quick ? 20_000 : 100_000, context) }
  },
  {
    name: 'publish',
    title: `publishes of ${payloadBytes} B one after the other`,
    unit: 'messages/s',
    better: 'higher',
    aim: { ratio: 0.9 },
    baseline: { label: bare, prepare: (context) => publishing('bare', 1_000, context) },
    subject: { label: 'p2pl', prepare: (context) => publishing('p2pl', 1_000, context) }
  },
  {
    name: 'round-trip',
    title: `a message of ${payloadBytes} B and its answer`,
    unit: 'ms',
    better: 'lower',
    baseline: { label: bare, prepare: (context) => answering('bare', 200, context) },
    subject: { label: 'p2pl', prepare: (context) => answering('p2pl', 200, context) }
  }
]

export default scenarios
