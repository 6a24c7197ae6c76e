import { createPeer, type Peer, text } from '@p2pl/core'
import { aroundCalls, P2plError } from '@p2pl/core/backend'
import { compose } from '@p2pl/layers'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it } from 'vitest'
import { Traces } from '../src/run/traces.ts'
import { traffic } from '../src/run/traffic.ts'
import type { Trace, TraceView } from '../src/service/trace-view.ts'

interface Watched {
  readonly peer: Peer
  readonly traces: Traces
  readonly seen: TraceView[]
  of<T extends Trace['type']>(type: T): Extract<Trace, { type: T }>[]
}

const open: Peer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (peer) => await peer.stop()))
})

async function watchedPeer(network = createMemoryNetwork()): Promise<Watched> {
  const traces = new Traces()
  const seen: TraceView[] = []
  traces.listen((view) => seen.push(view))
  const peer = await createPeer({ backend: compose(memory({ network }), traffic(traces)) })
  open.push(peer)
  const of: Watched['of'] = (type) => seen.flatMap(({ trace }) => (trace.type === type ? [trace as never] : []))
  return { peer, traces, seen, of }
}

async function pair(): Promise<[Watched, Watched]> {
  const network = createMemoryNetwork()
  const [one, other] = [await watchedPeer(network), await watchedPeer(network)]
  for (const address of other.peer.network.self()) await one.peer.network.connect(address)
  return [one, other]
}

describe('the traces of a node', () => {
  it('name a message alike at the peer that publishes it and at the one that receives it', async () => {
    const [one, other] = await pair()
    const subscription = other.peer.topic('news', { codec: text }).subscribe()
    await subscription.joined
    await one.peer.topic('news', { codec: text }).publish('hello')
    const { value } = await subscription.next()
    expect(value).toMatchObject({ payload: 'hello' })
    const received = await until('the trace', () => other.of('received').at(0))
    const published = await until('the trace', () => one.of('published').at(0))
    expect(published).toMatchObject({ message: received.message, topic: received.topic, bytes: received.bytes })
    expect(received.from).toBe(one.peer.network.self()[0]?.id)
    const timeOf = ({ seen }: Watched, trace: Trace): number => seen.find((view) => view.trace === trace)?.at ?? NaN
    expect(timeOf(other, received)).toBeGreaterThanOrEqual(timeOf(one, published))
    await subscription.close()
  })

  it('show who wants a block, who has it, and that it arrived', async () => {
    const [one, other] = await pair()
    const { cid } = await one.peer.data.add('a receipt')
    expect(one.of('have')).toMatchObject([{ cid: cid.toString() }])
    expect(one.of('want')).toEqual([])
    const providers = one.peer.network.self()
    await other.peer.data.bytes(cid, { providers })
    expect(other.of('want')).toEqual([{ type: 'want', cid: cid.toString(), from: [providers[0]?.id] }])
    expect(other.of('block')).toEqual([
      { type: 'block', cid: cid.toString(), ms: expect.any(Number) as number, bytes: one.of('have')[0]?.bytes }
    ])
    // Content that is here is not requested from anybody.
    await other.peer.data.bytes(cid)
    expect(other.of('want')).toHaveLength(1)
  })

  it('show that a block arrived although the call that wanted it was given up', async () => {
    const { peer, traces, seen } = await watchedPeer()
    const bytes = new TextEncoder().encode('late')
    const { cid } = await (await watchedPeer()).peer.data.add(bytes)
    const givenUp = new AbortController()
    const stop = traces.listen(({ trace }) => {
      if (trace.type === 'want') givenUp.abort()
    })
    await expect(peer.data.bytes(cid, { signal: givenUp.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    stop()
    expect(seen.map(({ trace }) => trace.type)).toEqual(['want'])
    // The engine receives the block nevertheless.
    await peer.blocks.put(bytes)
    await peer.data.bytes(cid)
    const [want, , block] = seen
    expect(block?.trace).toMatchObject({ type: 'block', cid: cid.toString(), bytes: bytes.byteLength })
    // The time since the first request, as known when the block was reported.
    const { ms = NaN } = (block?.trace ?? {}) as { ms?: number }
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThanOrEqual((block?.at ?? NaN) - (want?.at ?? NaN))
    // It is reported only once.
    await peer.data.bytes(cid)
    expect(seen.map(({ trace }) => trace.type)).toEqual(['want', 'have', 'block'])
  })

  it('show what failed and what is tried again, and not what a store lacks', async () => {
    const traces = new Traces()
    const seen: Trace[] = []
    traces.listen(({ trace }) => seen.push(trace))
    let failures = 1
    const broken = aroundCalls({
      call: async (call, run) => {
        if (call.operation !== 'messages.publish' || failures-- <= 0) return await run()
        throw new P2plError({ code: 'UNREACHABLE', message: 'the daemon is gone' })
      }
    })
    const backend = compose(memory({ network: createMemoryNetwork() }), broken, traffic(traces))
    await backend.start()
    const { messages } = backend
    if (messages === undefined) throw new Error('no messages')
    const bytes = new Uint8Array([1])
    await expect(messages.publish('news', bytes)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await messages.publish('news', bytes)
    await messages.publish('news', bytes)
    expect(seen.map(({ type }) => type)).toEqual(['fault', 'retry', 'published', 'published'])
    expect(seen).toMatchObject([
      { operation: 'messages.publish', subject: 'news', code: 'UNREACHABLE', reason: 'the daemon is gone' },
      { operation: 'messages.publish', subject: 'news', attempt: 2 },
      {},
      {}
    ])
    await backend.stop()
  })

  it('are gathered only while somebody looks on', async () => {
    const { peer, traces, seen } = await watchedPeer()
    const stopped = new Traces()
    const all: TraceView[] = []
    const stop = stopped.listen((view) => all.push(view))
    expect(stopped.watched).toBe(true)
    stop()
    expect(stopped.watched).toBe(false)
    stopped.add({ type: 'dropped', reason: 'garbage' })
    expect(all).toEqual([])
    await peer.data.add('a note')
    expect(seen.length).toBeGreaterThan(0)
    expect(traces.watched).toBe(true)
  })

  it('are bounded: a flood of one type hides no other, and says how much was left out', () => {
    let now = 0
    const traces = new Traces(() => now)
    const seen: TraceView[] = []
    traces.listen((view) => seen.push(view))
    for (let i = 0; i < 1_000; i++) traces.add({ type: 'have', cid: `cid ${i}`, bytes: 1 })
    traces.add({ type: 'gap', topic: 'news', reason: 'overflow' })
    expect(seen).toHaveLength(101)
    expect(seen.at(-1)?.trace.type).toBe('gap')
    now = 1_000
    traces.add({ type: 'have', cid: 'the next', bytes: 1 })
    expect(seen.at(-1)).toMatchObject({ trace: { cid: 'the next' }, leftOut: 900 })
  })
})
