import { createPeer } from '@p2pl/core'
import { compose } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { describe, expect, it } from 'vitest'
import { formatMetrics, metrics, prometheusSink } from '../src/index.ts'
import { block, cid, failing, failure, fake } from './support.ts'

/** The samples of the text format by name and labels, and its types. It refuses a text that Prometheus would refuse. */
function parse(text: string): { samples: Map<string, number>; types: Map<string, string> } {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-z0-9_]+) (.+)$/.exec(line)
    if (comment !== null) {
      if (comment[1] === 'TYPE') types.set(comment[2]!, comment[3]!)
      continue
    }
    const sample = /^([a-z0-9_]+(?:\{(?:[a-z0-9_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (\S+)$/.exec(line)
    expect(sample, line).not.toBeNull()
    expect(samples.has(sample![1]!), `${line} is there twice`).toBe(false)
    samples.set(sample![1]!, Number(sample![2]))
  }
  return { samples, types }
}

const series = (text: string, name: string): string[] =>
  [...parse(text).samples.keys()].filter((key) => key.startsWith(`${name}{`))

describe('prometheusSink', () => {
  it('counts calls, durations and bytes by backend and operation', async () => {
    let time = 0
    const sink = { ...prometheusSink(), now: () => (time += 20) }
    const get = failing([failure('TIMEOUT')], new Uint8Array(7))
    const { blocks } = metrics(sink)(fake({ blocks: { get, putMany: async () => undefined } }))
    for (let i = 0; i < 3; i++) await blocks?.get(cid).catch(() => undefined)
    await blocks?.putMany([block, block])
    const { samples, types } = parse(formatMetrics(sink.metrics()))
    const of = 'backend="fake",operation="blocks.get"'
    expect(samples.get(`p2pl_calls_total{${of},outcome="ok",code=""}`)).toBe(2)
    expect(samples.get(`p2pl_calls_total{${of},outcome="error",code="TIMEOUT"}`)).toBe(1)
    expect(samples.get(`p2pl_bytes_total{${of},direction="in"}`)).toBe(14)
    expect(samples.get('p2pl_bytes_total{backend="fake",operation="blocks.putMany",direction="out"}')).toBe(2)
    expect(samples.get(`p2pl_call_duration_seconds_bucket{${of},le="0.01"}`)).toBe(0)
    expect(samples.get(`p2pl_call_duration_seconds_bucket{${of},le="0.025"}`)).toBe(3)
    expect(samples.get(`p2pl_call_duration_seconds_bucket{${of},le="+Inf"}`)).toBe(3)
    expect(samples.get(`p2pl_call_duration_seconds_count{${of}}`)).toBe(3)
    expect(samples.get(`p2pl_call_duration_seconds_sum{${of}}`)).toBeCloseTo(0.06)
    expect(types.get('p2pl_call_duration_seconds')).toBe('histogram')
  })

  it('counts messages by topic and direction, on both sides', async () => {
    const network = new MemoryNetwork()
    const sinks = [prometheusSink(), prometheusSink()] as const
    const open = async (sink: (typeof sinks)[0]) =>
      await createPeer({ backend: compose(memory({ network }), metrics(sink)) })
    await using a = await open(sinks[0])
    await using b = await open(sinks[1])
    const subscription = b.topic('news').subscribe()
    await subscription.joined
    await a.topic('news').publish(new Uint8Array(10))
    await subscription.next()
    const [out, arrived] = sinks.map((sink) => parse(formatMetrics(sink.metrics())).samples)
    const name = (direction: string): string =>
      `p2pl_topic_messages_total{backend="memory",topic="news",direction="${direction}"}`
    expect([out!.get(name('out')), arrived!.get(name('in'))]).toEqual([1, 1])
  })

  it('has a bounded number of series, whatever names strangers make up', async () => {
    const sink = prometheusSink({ topics: 3 })
    const { messages } = metrics(sink)(fake({ messages: { publish: async () => ({ recipients: 1 }) } }))
    await messages!.publish('first', new Uint8Array(1))
    for (let i = 0; i < 1_000; i++) await messages!.publish(`made up ${i}`, new Uint8Array(1))
    await messages!.publish('first', new Uint8Array(1))
    const text = formatMetrics(sink.metrics())
    const label = (topic: string): string =>
      `p2pl_topic_messages_total{backend="fake",topic="${topic}",direction="out"}`
    expect(series(text, 'p2pl_topic_messages_total')).toHaveLength(4)
    expect(parse(text).samples.get(label('first'))).toBe(2)
    expect(parse(text).samples.get(label('other'))).toBe(998)
  })

  it('groups topics as the app says', async () => {
    const sink = prometheusSink({ labelOf: (topic) => topic.replace(/\/.*/, '/…') })
    const { messages } = metrics(sink)(fake({ messages: { publish: async () => ({ recipients: 1 }) } }))
    for (let i = 0; i < 100; i++) await messages!.publish(`room/${i}`, new Uint8Array(1))
    expect(series(formatMetrics(sink.metrics()), 'p2pl_topic_messages_total')).toEqual([
      'p2pl_topic_messages_total{backend="fake",topic="room/…",direction="out"}'
    ])
  })

  it.each(['a"b', 'a\nb', 'a\\b', 'a\u0000b', '}{', 'x'.repeat(1_024)])(
    'stays well-formed with the topic %j',
    async (topic) => {
      const sink = prometheusSink()
      sink.onIncoming!({ backend: 'fake', topic, event: 'message', receivedBytes: 1 })
      sink.onIncoming!({ backend: 'fake', topic, event: 'gap', receivedBytes: 0 })
      const text = formatMetrics(sink.metrics())
      expect(series(text, 'p2pl_topic_gaps_total')).toHaveLength(1)
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(400)
    }
  )
})
