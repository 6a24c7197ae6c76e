import { createPeer } from '@p2pl/core'
import { aroundCalls, type Backend, isP2plError, P2plError, type Subscriber } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { collect } from './support.ts'

// Small spikes of features to come: each shows that the port carries it as it is (docs/decisions/0012).

async function block(text: string): Promise<{ cid: CID; bytes: Uint8Array }> {
  const bytes = new TextEncoder().encode(text)
  return { cid: CID.createV1(0x55, await sha256.digest(bytes)), bytes }
}

type Parts = { [P in 'messages' | 'blocks' | 'routing']: NonNullable<Backend[P]> }

function parts({ messages, blocks, routing }: Backend): Parts {
  if (messages === undefined || blocks === undefined || routing === undefined) throw new Error('memory has all parts')
  return { messages, blocks, routing }
}

async function pair(network = new MemoryNetwork()): Promise<[Backend, Backend]> {
  const both: [Backend, Backend] = [memory({ network }), memory({ network })]
  await Promise.all(both.map((backend) => backend.start()))
  return both
}

describe('receipts', () => {
  it('a challenge asks the other peer, not the own store', async () => {
    const network = new MemoryNetwork()
    await using a = await createPeer({ backend: memory({ network }) })
    await using b = await createPeer({ backend: memory({ network }) })
    const { cid } = await a.data.add('worth keeping')
    const ask = (timeout?: number): Promise<Uint8Array> =>
      a.blocks.get(cid, { remote: true, providers: b.network.self(), timeout })
    await expect(ask(200)).rejects.toMatchObject({ retryable: true })
    await b.data.pin(cid, { providers: a.network.self() })
    expect(new TextDecoder().decode(await ask())).toBe('worth keeping')
  })

  it('an acknowledgement travels on a topic of its own, with its terms in headers, and the topic is released', async () => {
    const network = new MemoryNetwork()
    await using a = await createPeer({ backend: memory({ network }) })
    await using b = await createPeer({ backend: memory({ network }) })
    const acknowledgements = a.topic('receipt/1').subscribe()
    await acknowledgements.joined
    await b.topic('receipt/1').publish(new Uint8Array(), { headers: { cid: 'bafk', have: 'all' } })
    const { value } = await acknowledgements.next()
    expect(value).toMatchObject({ sender: b.id, headers: { have: 'all' } })
    await a.topic('receipt/1').close()
    expect(acknowledgements.state).toBe('ended')
  })
})

describe('replication', () => {
  it('pins from hinted peers within a budget, with progress, and leaves nothing when it is too much', async () => {
    const network = new MemoryNetwork()
    await using a = await createPeer({ backend: memory({ network }) })
    await using b = await createPeer({ backend: memory({ network }) })
    const { cid } = await a.data.add(new Uint8Array(3 * 1024 * 1024).fill(1))
    const providers = a.network.self()
    await expect(b.data.pin(cid, { providers, maxBytes: 100 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(await collect(b.data.pins())).toEqual([])
    let blocks = 0
    await b.data.pin(cid, {
      providers,
      maxBytes: 4 * 1024 * 1024,
      onProgress: (progress) => {
        ;({ blocks } = progress)
      }
    })
    expect(blocks).toBeGreaterThan(0)
    expect(await b.data.has(cid)).toBe(true)
  })
})

/** The first leg that starts serves; the others are tried in their order. */
function failover(...legs: readonly Backend[]): Backend {
  let active: Backend | undefined
  const chosen = (): Backend => {
    if (active !== undefined) return active
    throw new P2plError({ code: 'NOT_RUNNING', message: 'no leg runs' })
  }
  return {
    name: legs.map(({ name }) => name).join('|'),
    get capabilities() {
      return (active ?? legs[0]!).capabilities
    },
    start: async (options) => {
      let failure: unknown
      for (const leg of legs) {
        try {
          await leg.start(options)
          active = leg
          return
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    stop: async () => {
      await active?.stop()
    },
    self: () => chosen().self(),
    get messages() {
      return active?.messages
    },
    get blocks() {
      return active?.blocks
    },
    get routing() {
      return active?.routing
    }
  }
}

describe('combinators', () => {
  it('failover starts with one leg down', async () => {
    const network = new MemoryNetwork()
    const down = aroundCalls({
      call: async ({ operation }, run) => {
        if (operation === 'start') throw new P2plError({ code: 'UNREACHABLE', message: 'no daemon' })
        return await run()
      }
    })(memory({ network }))
    await using peer = await createPeer({ backend: failover(down, memory({ network })) })
    await using other = await createPeer({ backend: memory({ network }) })
    const { cid } = await other.data.add('over the second leg')
    expect((await peer.data.bytes(cid)).byteLength).toBe(19)
  })

  it('race and mirror need nothing but the parts of their legs', async () => {
    const [near, nearOther] = await pair()
    const [far, farOther] = await pair()
    const put = await block('everywhere')
    await Promise.all([near, far].map((leg) => parts(leg).blocks.putMany([put])))
    const loser = new AbortController()
    const first = await Promise.any(
      [nearOther, farOther].map((leg) => parts(leg).blocks.get(put.cid, { signal: loser.signal }))
    )
    loser.abort()
    expect(first).toEqual(put.bytes)
    await Promise.all([near, nearOther, far, farOther].map((leg) => leg.stop()))
  })

  it('a bridge carries signed messages between two networks, each once', async () => {
    const [north, south] = [new MemoryNetwork(), new MemoryNetwork()]
    const bridges = [memory({ network: north }), memory({ network: south })] as const
    await Promise.all(bridges.map((backend) => backend.start()))
    const crossed = new Set<string>()
    const towards = (other: Backend): Subscriber => ({
      message: async ({ payload }) => {
        const name = (await sha256.digest(payload)).bytes.join()
        if (crossed.has(name)) return 'ignore'
        crossed.add(name)
        await parts(other).messages.publish('news', payload)
        return 'accept'
      },
      gap: () => undefined
    })
    await parts(bridges[0]).messages.subscribe('news', towards(bridges[1]))
    await parts(bridges[1]).messages.subscribe('news', towards(bridges[0]))
    await using a = await createPeer({ backend: memory({ network: north }) })
    await using b = await createPeer({ backend: memory({ network: south }) })
    const subscription = b.topic('news').subscribe()
    await subscription.joined
    const receipt = await a.topic('news').publish(new TextEncoder().encode('hello'))
    expect((await subscription.next()).value).toMatchObject({ sender: a.id, id: receipt.id })
    expect(crossed.size).toBe(1)
    await Promise.all(bridges.map((backend) => backend.stop()))
  })
})

describe('layers', () => {
  it('a hedge sees the CID and the hints, asks twice, and ends the slower call', async () => {
    const [a, b] = await pair()
    const put = await block('hedged')
    await parts(b).blocks.putMany([put])
    const seen: unknown[] = []
    let ended = 0
    const hedged = aroundCalls({
      call: async (call, run) => {
        if (call.operation !== 'blocks.get') return await run()
        seen.push({ cid: call.cid?.toString(), providers: call.options.providers })
        const losers = new AbortController()
        const { signal } = losers
        const slow = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }).catch((error: unknown) => {
          ended++
          throw error
        })
        try {
          return await Promise.any([slow, run({ signal })])
        } finally {
          losers.abort()
        }
      }
    })(a)
    const providers = b.self()
    expect(await parts(hedged).blocks.get(put.cid, { providers })).toEqual(put.bytes)
    await Promise.resolve()
    expect(seen).toEqual([{ cid: put.cid.toString(), providers }])
    expect(ended).toBe(1)
    await Promise.all([a.stop(), b.stop()])
  })

  it('an adaptive timeout shortens a call, and its caller learns which one ended', async () => {
    const [a, b] = await pair()
    const impatient = aroundCalls({
      call: async (_call, run) => await run({ signal: AbortSignal.timeout(20) })
    })(a)
    const missing = await block('nobody has it')
    const error = await parts(impatient)
      .blocks.get(missing.cid)
      .catch((reason: unknown) => reason)
    expect(isP2plError(error, 'TIMEOUT')).toBe(true)
    await Promise.all([a.stop(), b.stop()])
  })

  it('a trace follows a message by context in the process and by headers to the next', async () => {
    const network = new MemoryNetwork()
    const contexts: unknown[] = []
    const traced = aroundCalls({
      call: async (call, run) => {
        if (call.operation === 'messages.publish') contexts.push(call.options.context)
        return await run()
      }
    })(memory({ network }))
    await using a = await createPeer({ backend: traced })
    await using b = await createPeer({ backend: memory({ network }) })
    const subscription = b.topic('t').subscribe()
    await subscription.joined
    const span = { traceId: '1' }
    await a.topic('t').publish(new Uint8Array(1), { context: span, headers: { traceparent: '00-1-1-01' } })
    expect((await subscription.next()).value).toMatchObject({ headers: { traceparent: '00-1-1-01' } })
    expect(contexts[0]).toBe(span)
  })

  it('keeps what the backend has beyond the port', () => {
    const backend = Object.assign(memory({ network: new MemoryNetwork() }), { stats: () => ({ peers: 5 }) })
    expect(aroundCalls({})(backend).stats()).toEqual({ peers: 5 })
  })
})
