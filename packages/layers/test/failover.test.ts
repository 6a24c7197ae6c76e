import { createPeer, type Message, type Subscription, text } from '@p2pl/core'
import type { Backend, BackendEvent, Subscriber } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, it } from 'vitest'
import { failover, type FailoverOptions } from '../src/failover.ts'
import { block, cid, down, failure, fake, ManualClock, never, outcome, settle } from './support.ts'

type Parts = Parameters<typeof fake>[0]

const running = new Set<Backend>()
afterEach(async () => {
  await Promise.all([...running].map((backend) => backend.stop()))
  running.clear()
})

const quiet: NonNullable<Parts['routing']> = { connections: async () => [] }
const known: NonNullable<Parts['messages']> = { peers: async () => [] }

/** Two legs that do what the test says; each answers an examination unless it says otherwise. */
function legs(a: Partial<Parts>, b: Partial<Parts>): [Backend, Backend] {
  const leg = (parts: Partial<Parts>, name: string): Backend => ({
    ...fake({ routing: quiet, ...parts, messages: { ...known, ...parts.messages } }),
    name,
    self: () => [{ network: name, id: name, addresses: [] }]
  })
  return [leg(a, 'a'), leg(b, 'b')]
}

async function started(
  backends: readonly Backend[],
  options: FailoverOptions = {}
): Promise<{ backend: Backend; clock: ManualClock; events: BackendEvent[] }> {
  const clock = new ManualClock()
  const backend = failover(backends, { clock, random: () => 0, ...options })
  running.add(backend)
  const events: BackendEvent[] = []
  await backend.start({ onEvent: (event) => events.push(event) })
  return { backend, clock, events }
}

const said = (events: readonly BackendEvent[]): string[] =>
  events.map((event) => (event.type === 'warning' ? event.message : event.type))

describe('the start', () => {
  it('succeeds with one leg down, says so, and takes the leg in when it comes', async () => {
    let there = false
    let served = ''
    const publish = (name: string) => async () => {
      served = name
      return { recipients: 1 }
    }
    const [a, b] = legs({ messages: { publish: publish('a') } }, { messages: { publish: publish('b') } })
    const { backend, clock, events } = await started([down(a, () => (there ? undefined : failure('UNREACHABLE'))), b])
    expect(said(events)).toEqual(['a does not start: UNREACHABLE. b is used, and it is tried again'])
    await backend.messages?.publish('t', block.bytes)
    expect([served, backend.self().map(({ id }) => id)]).toEqual(['b', ['a', 'b']])
    there = true
    await clock.advance(1_000)
    await backend.messages?.publish('t', block.bytes)
    expect(served).toBe('a')
    expect(said(events).at(-1)).toBe('a works. a, b are used, in this order')
  })

  it('tries a leg that is down again with pauses that grow', async () => {
    const times: number[] = []
    const [a, b] = legs({}, {})
    let now = (): number => 0
    const { clock } = await started([
      down(a, () => {
        times.push(now())
        return failure('UNREACHABLE')
      }),
      b
    ])
    now = () => clock.now()
    await clock.advance(16_000)
    expect(times).toEqual([0, 1_000, 3_000, 7_000, 15_000])
  })

  it('fails when no leg starts, names each reason, and leaves nothing running', async () => {
    const stopped: string[] = []
    const stop = (name: string) => async () => void stopped.push(name)
    const [a, b] = legs({ stop: stop('a') }, { stop: stop('b') })
    const backend = failover([down(a, () => failure('LOCKED')), down(b)])
    await expect(backend.start()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true,
      message: 'none of the legs of failover(a,b) starts: LOCKED; UNREACHABLE'
    })
    expect(stopped.toSorted()).toEqual(['a', 'b'])
  })

  it('does not wait for a leg that hangs', async () => {
    const clock = new ManualClock()
    const [a, b] = legs({ start: never }, {})
    const backend = failover([a, b], { clock })
    running.add(backend)
    const starting = outcome(backend.start())
    await clock.advance(9_999)
    expect(starting.state).toBe('pending')
    await clock.advance(1)
    expect(starting.state).toBe('ok')
  })
})

describe('a leg that fails', () => {
  it('is left at once, and is used again after a pause and an examination', async () => {
    const calls: string[] = []
    let broken = false
    const publish = (name: string) => async () => {
      calls.push(name)
      if (name === 'a' && broken) throw failure('UNREACHABLE')
      return { recipients: 1 }
    }
    const [a, b] = legs(
      {
        messages: {
          publish: publish('a'),
          peers: async () => {
            if (broken) throw failure('UNREACHABLE')
            return []
          }
        }
      },
      { messages: { publish: publish('b') } }
    )
    const { backend, clock, events } = await started([a, b])
    const send = async (): Promise<unknown> => await backend.messages?.publish('t', block.bytes)
    await send()
    broken = true
    await send()
    await send()
    expect(calls).toEqual(['a', 'a', 'b', 'b'])
    expect(said(events)).toEqual(['a cannot be used: UNREACHABLE. b is used'])
    await clock.advance(5_000)
    expect(said(events)).toHaveLength(1)
    broken = false
    await clock.advance(5_000)
    await send()
    expect(calls.at(-1)).toBe('a')
    expect(said(events)).toHaveLength(2)
  })

  it.each([
    ['an engine error', failure('ENGINE')],
    ['a foreign error', new Error('foreign')],
    ['an answer that is no protocol', failure('PROTOCOL')],
    ['refused credentials', failure('UNAUTHORIZED')],
    ['a stop from elsewhere', failure('NOT_RUNNING')]
  ])('is left after %s', async (_, error) => {
    let asked = 0
    const [a, b] = legs(
      {
        blocks: {
          putMany: async () => {
            asked++
            throw error
          }
        }
      },
      { blocks: { putMany: async () => undefined } }
    )
    const { backend } = await started([a, b])
    await backend.blocks?.putMany([block])
    await backend.blocks?.putMany([block])
    expect(asked).toBe(1)
  })

  it.each([['INVALID_ARGUMENT'], ['TOO_LARGE'], ['UNSUPPORTED'], ['PINNED']] as const)(
    'is kept after the mistake of a caller (%s), which ends the call',
    async (code) => {
      let asked = 0
      const [a, b] = legs(
        {
          blocks: {
            putMany: async () => {
              asked++
              throw failure(code)
            }
          }
        },
        {}
      )
      const { backend } = await started([a, b])
      for (let i = 1; i <= 2; i++) {
        await expect(backend.blocks?.putMany([block])).rejects.toMatchObject({ code })
        expect(asked).toBe(i)
      }
    }
  )

  it('is kept where its store is full, and the next leg stores the block', async () => {
    const stored: string[] = []
    const [a, b] = legs(
      { blocks: { putMany: () => Promise.reject(failure('STORAGE')) } },
      { blocks: { putMany: async () => void stored.push('b') } }
    )
    const { backend, events } = await started([a, b])
    await backend.blocks?.putMany([block])
    expect([stored, events]).toEqual([['b'], []])
  })

  it('is left when it hangs: its calls go on with the next leg', async () => {
    const hangs = never
    const [a, b] = legs(
      { blocks: { has: hangs }, routing: { connections: hangs } },
      { blocks: { has: async () => true } }
    )
    const { backend, clock, events } = await started([a, b], { probeEvery: 1e9, timeout: 2_000 })
    const call = outcome(backend.blocks!.has(cid))
    await clock.advance(3_999)
    expect(call.state).toBe('pending')
    await clock.advance(1)
    expect(call.value).toBe(true)
    expect(said(events)).toEqual(['a cannot be used: a gives no answer within 2000 ms. b is used'])
  })

  it('is left when an examination in between finds it dead', async () => {
    let dead = false
    const [a, b] = legs({}, {})
    const dying: Backend = {
      ...a,
      self: () => {
        if (dead) throw failure('NOT_RUNNING')
        return a.self()
      }
    }
    const { clock, events } = await started([dying, b])
    dead = true
    await clock.advance(5_000)
    expect(said(events)).toEqual(['a cannot be used: NOT_RUNNING. b is used'])
  })

  it('is kept when a peer cannot be reached: an examination finds it sound', async () => {
    const [a, b] = legs(
      { routing: { ...quiet, findPeer: () => Promise.reject(failure('UNREACHABLE')) } },
      { routing: { ...quiet, findPeer: async (id) => ({ network: 'b', id, addresses: [] }) } }
    )
    const { backend, events } = await started([a, b])
    expect(await backend.routing?.findPeer('x')).toMatchObject({ network: 'b' })
    await settle()
    expect(events).toEqual([])
  })

  it('is asked as long as no other works, and is used again as soon as it answers', async () => {
    let broken = true
    const has = async (): Promise<boolean> => {
      if (broken) throw failure('UNREACHABLE')
      return true
    }
    const [a, b] = legs({ blocks: { has } }, { blocks: { has: () => Promise.reject(failure('UNREACHABLE')) } })
    const { backend, events } = await started([a, b])
    await expect(backend.blocks?.has(cid)).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
    expect(said(events).at(-1)).toBe('degraded')
    broken = false
    expect(await backend.blocks?.has(cid)).toBe(true)
    expect(said(events).at(-1)).toBe('recovered')
  })

  it('is left while it reports that its engine cannot be used', async () => {
    let tell: ((event: BackendEvent) => void) | undefined
    let served = ''
    const publish = (name: string) => async () => {
      served = name
      return { recipients: 1 }
    }
    const start: Backend['start'] = async (options) => {
      tell = options?.onEvent
    }
    const [a, b] = legs({ start, messages: { publish: publish('a') } }, { messages: { publish: publish('b') } })
    const { backend, clock, events } = await started([a, b])
    tell?.({ type: 'degraded', error: failure('UNREACHABLE'), backend: 'a' })
    await clock.advance(60_000)
    await backend.messages?.publish('t', block.bytes)
    expect(served).toBe('b')
    tell?.({ type: 'recovered', backend: 'a' })
    await backend.messages?.publish('t', block.bytes)
    expect(served).toBe('a')
    expect(said(events).some((event) => event === 'degraded' || event === 'recovered')).toBe(false)
  })
})

describe('messages', () => {
  it('go to the next leg where the first has no recipient', async () => {
    const [a, b] = legs(
      { messages: { publish: async () => ({ recipients: 0 }) } },
      { messages: { publish: async () => ({ recipients: 3 }) } }
    )
    const { backend, events } = await started([a, b])
    expect(await backend.messages?.publish('t', block.bytes)).toEqual({ recipients: 3 })
    expect(events).toEqual([])
  })

  it('that a leg may have sent are not sent by the next one: their fate is UNCERTAIN', async () => {
    const [a, b] = legs({ messages: { publish: () => Promise.reject(failure('TIMEOUT')) } }, {})
    const { backend } = await started([a, b])
    await expect(backend.messages?.publish('t', block.bytes)).rejects.toMatchObject({ code: 'UNCERTAIN' })
  })

  it('come from every leg, each once, and answers go where a peer was heard', async () => {
    const [north, south] = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    await using both = await createPeer({ backend: failover([memory({ network: north }), memory({ network: south })]) })
    // Its first leg is gone, which only it can tell.
    await using half = await createPeer({ backend: memory({ network: south }) })
    await using whole = await createPeer({ backend: memory({ network: north }) })
    const heard: string[] = []
    const [at, there, here] = [both, half, whole].map((peer) => peer.topic('t', { codec: text }).subscribe())
    await Promise.all([at?.joined, there?.joined, here?.joined])
    await half.topic('t', { codec: text }).publish('from the south')
    heard.push(await next(at))
    await both.topic('t', { codec: text }).publish('to both')
    heard.push(await next(there), await next(here))
    expect(heard).toEqual(['from the south', 'to both', 'to both'])
  })

  it('go on over the second network when the first is cut off for all, each once and in order of publishing', async () => {
    const [north, south] = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    const backend = (id: string): Backend =>
      failover([memory({ network: north, id: `north-${id}` }), memory({ network: south, id: `south-${id}` })])
    await using a = await createPeer({ backend: backend('a') })
    await using b = await createPeer({ backend: backend('b') })
    const subscription = b.topic('t', { codec: text }).subscribe()
    await subscription.joined
    const topic = a.topic('t', { codec: text })
    const sent = Array.from({ length: 60 }, (_, i) => String(i))
    const seen: string[] = []
    for (const [i, message] of sent.entries()) {
      if (i === 20) for (const id of ['a', 'b']) north.interrupt(`north-${id}`)
      if (i === 40) for (const id of ['a', 'b']) north.resume(`north-${id}`)
      await topic.publish(message)
      seen.push(await next(subscription))
    }
    expect(seen).toEqual(sent)
    expect(b.topic('t', { codec: text }).stats().dropped).toMatchObject({ duplicate: 0 })
  })
})

describe('a subscription', () => {
  it('is told of a gap when its leg is lost, is healing while none is there, and is joined on a leg that comes late', async () => {
    const [north, south] = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    let there = false
    const late = down(memory({ network: north, id: 'n' }), () => (there ? undefined : failure('UNREACHABLE')))
    const { backend, clock } = await started([late, memory({ network: south, id: 's' })])
    const log: unknown[] = []
    const subscriber: Subscriber = {
      message: ({ payload }) => {
        log.push(new TextDecoder().decode(payload))
        return 'accept'
      },
      gap: ({ reason, lasted }) => log.push([reason, lasted]),
      state: (state) => log.push(state)
    }
    await backend.messages?.subscribe('t', subscriber)
    there = true
    await clock.advance(1_000)
    expect(log.splice(0)).toEqual([['disconnected', 1_000]])
    const other = memory({ network: north })
    running.add(other)
    await other.start()
    await other.messages?.publish('t', new TextEncoder().encode('by the late one'))
    await until('the message is there', () => log.length === 1)
    expect(log.splice(0)).toEqual(['by the late one'])
    north.interrupt('n')
    expect(log.splice(0)).toEqual([['disconnected', undefined]])
    south.interrupt('s')
    expect(log.splice(0)).toEqual(['healing'])
    north.resume('n')
    expect(log.map((item) => (Array.isArray(item) ? item[0] : item))).toEqual(['disconnected', 'live'])
  })
})

describe('blocks', () => {
  it('are stored on every backend, since the peers of one network find nothing in the store of another', async () => {
    const [north, south] = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    const { backend } = await started([memory({ network: north, id: 'n' }), memory({ network: south })])
    await backend.blocks?.putMany([block])
    await backend.blocks?.pin(cid)
    north.interrupt('n')
    const other = memory({ network: south })
    running.add(other)
    await other.start()
    expect(await other.blocks?.get(cid)).toEqual(block.bytes)
  })

  it('are found wherever they were stored', async () => {
    const [north, south] = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    const [first, second] = [memory({ network: north, id: 'n' }), memory({ network: south })]
    const { backend } = await started([first, second])
    await second.blocks?.putMany([block])
    expect(await backend.blocks?.has(cid)).toBe(true)
    expect(await backend.blocks?.get(cid, { local: true })).toEqual(block.bytes)
    // The network of a leg is gone, its store is not.
    await backend.blocks?.delete(cid)
    await first.blocks?.putMany([block])
    north.interrupt('n')
    expect(await backend.blocks?.get(cid, { local: true })).toEqual(block.bytes)
  })

  it('are asked of the second network when the first does not give them in time', async () => {
    let signal: AbortSignal | undefined
    const [a, b] = legs(
      {
        blocks: {
          get: (_cid, options) => {
            signal = options?.signal
            return never()
          },
          has: async () => false
        }
      },
      {
        blocks: {
          get: async (_cid, options) => {
            if (options?.local === true) throw failure('NOT_FOUND')
            return block.bytes
          }
        }
      }
    )
    const { backend, clock } = await started([a, b])
    const getting = outcome(backend.blocks!.get(cid))
    await clock.advance(1_000)
    expect(getting.state).toBe('pending')
    await clock.advance(20)
    expect(getting.value).toBe(block.bytes)
    expect(signal?.aborted).toBe(true)
  })

  it('that are wrong are asked of the next leg', async () => {
    const [a, b] = legs({ blocks: { get: async () => Uint8Array.of(9) } }, { blocks: { get: async () => block.bytes } })
    const { backend } = await started([a, b])
    expect(await backend.blocks?.get(cid)).toBe(block.bytes)
  })

  it('of a pinned DAG are brought together in one store', async () => {
    const network = new MemoryNetwork()
    const [first, second] = [memory({ network }), memory({ network: new MemoryNetwork('other') })]
    await using peer = await createPeer({ backend: failover([first, second]) })
    const { cid: root } = await peer.data.add(new Uint8Array(3 * 1_048_576).fill(7))
    const stored = await first.blocks!.get(root, { local: true })
    await second.blocks?.putMany([{ cid: root, bytes: stored }])
    await peer.data.unpin(root)
    await first.blocks?.delete(root)
    await peer.data.pin(root)
    // The second holds the root, and so it has all of it now.
    expect((await second.blocks!.get(root, { local: true })).byteLength).toBe(stored.byteLength)
    expect(await peer.data.has(root)).toBe(true)
  })
})

describe('connections', () => {
  it('to the network of a leg that is down fail with an error that core repeats', async () => {
    const [a, b] = legs({}, { routing: { ...quiet, connect: async () => undefined } })
    const { backend } = await started([down({ ...a, networks: ['a'] }), { ...b, networks: ['b'] }])
    const peer = { id: 'x', addresses: [] }
    await expect(backend.routing?.connect({ ...peer, network: 'a' })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retryable: true
    })
    await expect(backend.routing?.connect({ ...peer, network: 'c' })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await backend.routing?.connect({ ...peer, network: 'b' })
  })
})

describe('a pause', () => {
  it('stops one leg while the others go on, until it is resumed', async () => {
    const networks = [new MemoryNetwork('north'), new MemoryNetwork('south')]
    const [first, second] = networks.map((network) => memory({ network })) as [Backend, Backend]
    const clock = new ManualClock()
    const backend = failover([first, second], { clock })
    running.add(backend)
    const events: BackendEvent[] = []
    await backend.start({ onEvent: (event) => events.push(event) })
    const states = (): string[] => backend.legs.map(({ state }) => state)
    await backend.legs[0]?.pause()
    await clock.advance(600_000)
    expect([states(), backend.legs[0]?.reason]).toEqual([['paused', 'up'], 'it was paused'])
    expect(() => first.self()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
    await backend.blocks?.putMany([block])
    expect(await second.blocks?.has(cid)).toBe(true)
    await backend.legs[0]?.resume()
    expect(states()).toEqual(['up', 'up'])
    expect(said(events)).toEqual([
      'memory cannot be used: it was paused. memory#2 is used',
      'memory works. memory, memory#2 are used, in this order'
    ])
  })
})

describe('options', () => {
  it.each([
    [() => failover([]), 'give it a list of backends'],
    [() => failover(memory() as never), 'give it a list of backends'],
    [() => failover([memory(), Promise.resolve(memory()) as never]), 'entry 1 of the list is not a backend'],
    [() => failover([memory()], { stager: 1 } as never), 'there is no option "stager"'],
    [() => failover([memory()], { timeout: 0 }), 'timeout must be a number of at least 1']
  ])('that are wrong are named', (make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) as string })
    )
  })

  it('name a backend that is given twice', () => {
    const one = memory()
    expect(() => failover([one, one])).toThrow('entry 1 is in the list already')
  })
})

async function next(subscription: Subscription<Message<string>> | undefined): Promise<string> {
  for (;;) {
    const item = await subscription?.next()
    if (item === undefined || item.done === true) throw new Error('the subscription ended')
    if (item.value.type === 'message') return item.value.payload
  }
}
