import { createPeer, type Message, type Peer, type Subscription, text } from '@p2pl/core'
import type { Backend } from '@p2pl/core/backend'
import { memory, MemoryNetwork } from '@p2pl/memory'
import { seededBytes, seededRandom, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterEach, describe, expect, it } from 'vitest'
import { bridge, type BridgeOptions } from '../src/bridge.ts'
import { ManualClock, settle } from './support.ts'

const running = new Set<{ stop(): Promise<void> }>()
afterEach(async () => {
  await Promise.all([...running].map((each) => each.stop()))
  running.clear()
})

async function started<B extends Backend>(backend: B): Promise<B> {
  running.add(backend)
  await backend.start()
  return backend
}

async function peerOn(network: MemoryNetwork): Promise<Peer> {
  const peer = await createPeer({ backend: memory({ network }) })
  running.add(peer)
  return peer
}

interface Sides {
  readonly north: MemoryNetwork
  readonly south: MemoryNetwork
  /** What was published on each network, by anybody. */
  readonly published: { north: number; south: number }
}

function sides(): Sides {
  const published = { north: 0, south: 0 }
  const counted = (name: keyof typeof published): MemoryNetwork => {
    const network = new MemoryNetwork(name)
    const publish = network.publish.bind(network)
    network.publish = (...args) => {
      published[name]++
      return publish(...args)
    }
    return network
  }
  return { north: counted('north'), south: counted('south'), published }
}

async function bridged(
  { north, south }: Sides,
  options: Partial<BridgeOptions> = {},
  prepare: (legs: [Backend, Backend]) => void = () => undefined
): Promise<[Backend, Backend]> {
  const legs: [Backend, Backend] = [memory({ network: north }), memory({ network: south })]
  prepare(legs)
  await started(bridge(...legs, { topics: ['news'], random: seededRandom(running.size + 1), ...options }))
  return legs
}

/** Tells when a subscriber has dealt with a message. Call it before it subscribes. */
function onVerdict({ messages }: Backend, dealt: () => void): void {
  if (messages === undefined) throw new Error('it has messages')
  const original = messages.subscribe.bind(messages)
  const subscribe: typeof messages.subscribe = async (topic, subscriber, options) =>
    await original(
      topic,
      {
        ...subscriber,
        message: async (message) => {
          const verdict = await subscriber.message(message)
          dealt()
          return verdict
        }
      },
      options
    )
  Object.assign(messages, { subscribe })
}

async function next(subscription: Subscription<Message<string>>): Promise<string> {
  for (;;) {
    const item = await subscription.next()
    if (item.done === true) throw new Error('the subscription ended')
    if (item.value.type === 'message') return item.value.payload
  }
}

async function listening(peer: Peer): Promise<Subscription<Message<string>>> {
  const subscription = peer.topic('news', { codec: text }).subscribe()
  await subscription.joined
  return subscription
}

describe('messages', () => {
  it('cross both ways, each once, with the sender that they had', async () => {
    const both = sides()
    await bridged(both, { spread: 0 })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const [atA, atB] = [await listening(a), await listening(b)]
    for (let i = 0; i < 20; i++) {
      await a.topic('news', { codec: text }).publish(`north ${i}`)
      expect(await next(atB)).toBe(`north ${i}`)
      await b.topic('news', { codec: text }).publish(`south ${i}`)
      expect(await next(atA)).toBe(`south ${i}`)
    }
    expect(a.topic('news').stats().dropped.duplicate + b.topic('news').stats().dropped.duplicate).toBe(0)
  })

  it('cross once with two and three bridges beside each other, and go round in no circle', async () => {
    const both = sides()
    const clock = new ManualClock()
    const moments = [0.05, 0.5, 0.95]
    let chosen = 0
    let heard = 0
    for (const moment of moments) {
      const random = (): number => {
        chosen++
        return moment
      }
      await bridged(both, { spread: 2_000, random, clock }, ([, south]) => onVerdict(south, () => heard++))
    }
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    const sent = Array.from({ length: 30 }, (_, i) => `message ${i}`)
    const before = { ...both.published }
    for (const message of sent) await a.topic('news', { codec: text }).publish(message)
    await until('each bridge has chosen its moments', () => chosen === moments.length * sent.length)
    // The first one to choose carries a message, and the others hear of it.
    await clock.advance(100)
    const seen = []
    while (seen.length < sent.length) seen.push(await next(atB))
    expect(seen.toSorted()).toEqual(sent.toSorted())
    await until('the others have heard of it', () => heard === (moments.length - 1) * sent.length)
    await clock.advance(10_000)
    expect(both.published).toEqual({ north: before.north + sent.length, south: before.south + sent.length })
    expect(b.topic('news', { codec: text }).stats().delivered).toBe(sent.length)
  })

  it('of topics without signatures cross, too, and those of other topics do not', async () => {
    const both = sides()
    await bridged(both, { spread: 0 })
    const [a, b] = [await started(memory({ network: both.north })), await started(memory({ network: both.south }))]
    const seen: string[] = []
    const subscriber = {
      message: ({ payload }: { payload: Uint8Array }) => {
        seen.push(new TextDecoder().decode(payload))
        return 'accept' as const
      },
      gap: () => undefined
    }
    await b.messages?.subscribe('news', subscriber)
    await b.messages?.subscribe('private', subscriber)
    await a.messages?.publish('private', new TextEncoder().encode('secret'))
    await a.messages?.publish('news', new TextEncoder().encode('plain'))
    await until('it is there', () => seen.length > 0)
    await settle()
    expect(seen).toEqual(['plain'])
  })

  it('that are forged do not cross', async () => {
    const both = sides()
    await bridged(both, { spread: 0 })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    const eavesdropper = await started(memory({ network: both.north }))
    const heard: Uint8Array[] = []
    await eavesdropper.messages?.subscribe('news', {
      message: ({ payload }) => {
        heard.push(payload.slice())
        return 'accept'
      },
      gap: () => undefined
    })
    await a.topic('news', { codec: text }).publish('honest')
    expect(await next(atB)).toBe('honest')
    const forged = heard[0]?.slice() as Uint8Array
    forged[forged.byteLength - 1] = (forged[forged.byteLength - 1] ?? 0) ^ 1
    await eavesdropper.messages?.publish('news', forged)
    await a.topic('news', { codec: text }).publish('after it')
    expect(await next(atB)).toBe('after it')
    expect(b.topic('news', { codec: text }).stats().dropped.forged).toBe(0)
  })

  it('of a sender that floods take no place from those of another', async () => {
    const both = sides()
    await bridged(both, { spread: 0, bytesPerSecond: 100 })
    const [loud, quiet, b] = [await peerOn(both.north), await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    const topic = loud.topic('news', { codec: text })
    for (let i = 0; i < 20; i++) await topic.publish('x'.repeat(1_000))
    await quiet.topic('news', { codec: text }).publish('short')
    const seen: string[] = []
    while (seen.at(-1) !== 'short') seen.push(await next(atB))
    expect(seen.length).toBeLessThan(5)
  })
})

describe('content', () => {
  it('of large messages crosses with them', async () => {
    const both = sides()
    await bridged(both, { spread: 0 })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const subscription = b.topic('news').subscribe()
    await subscription.joined
    const payload = seededBytes(3_000_000, 5)
    await a.topic('news').publish(payload)
    const item = await subscription.next()
    expect(item.value?.type).toBe('message')
    expect(item.value?.type === 'message' && Buffer.from(item.value.payload).equals(payload)).toBe(true)
  })

  it('that a function names crosses both ways, once, and is fetched by peers that ask for it', async () => {
    const both = sides()
    let named = 0
    await bridged(both, {
      spread: 0,
      content: ({ payload }) => {
        named++
        return [CID.parse(new TextDecoder().decode(payload))]
      }
    })
    for (const [from, to] of [
      [both.north, both.south],
      [both.south, both.north]
    ] as const) {
      const [a, b] = [await peerOn(from), await peerOn(to)]
      const atB = await listening(b)
      const bytes = seededBytes(5_000_000, named + 1)
      const { cid } = await a.data.add(bytes)
      for (let i = 0; i < 2; i++) {
        await a.topic('news', { codec: text }).publish(cid.toString())
        expect(await next(atB)).toBe(cid.toString())
      }
      expect(Buffer.from(await b.data.bytes(cid)).equals(bytes)).toBe(true)
    }
    expect(named).toBe(4)
  })

  it('that a function names is asked for once, also where a message comes again with a later one', async () => {
    const both = sides()
    const named: string[] = []
    await bridged(both, {
      spread: 0,
      content: ({ payload }) => {
        named.push(new TextDecoder().decode(payload))
        return []
      }
    })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    const topic = a.topic('news', { codec: text })
    // One recipient more than there are: it is sent again, together with the next message.
    const first = topic.publish('first', { recipients: 2 })
    expect(await next(atB)).toBe('first')
    const before = both.published.north
    const second = topic.publish('second')
    expect(await next(atB)).toBe('second')
    await second
    expect(both.published.north).toBe(before + 1)
    expect(named).toEqual(['first', 'second'])
    await listening(await peerOn(both.north))
    await first
  })

  it('makes room for later content', async () => {
    const both = sides()
    const [, south] = await bridged(both, {
      spread: 0,
      maxStoredBytes: 1_500_000,
      content: ({ payload }) => [CID.parse(new TextDecoder().decode(payload))]
    })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    const cids: CID[] = []
    for (let i = 0; i < 4; i++) {
      const { cid } = await a.data.add(seededBytes(500_000, 100 + i))
      cids.push(cid)
      await a.topic('news', { codec: text }).publish(cid.toString())
      await next(atB)
      await until('it has crossed', async () => await south.blocks?.has(cid))
    }
    await until('the first has made room', async () => (await south.blocks?.has(cids[0]!)) === false)
    expect(await south.blocks?.has(cids[3]!)).toBe(true)
  })

  it('that is larger than allowed does not cross, which is said', async () => {
    const both = sides()
    const legs: [Backend, Backend] = [memory({ network: both.north }), memory({ network: both.south })]
    const said: string[] = []
    const backend = bridge(...legs, {
      topics: ['news'],
      spread: 0,
      maxContentBytes: 1_000_000,
      content: ({ payload }) => [CID.parse(new TextDecoder().decode(payload))]
    })
    running.add(backend)
    await backend.start({ onEvent: (event) => void (event.type === 'warning' && said.push(event.message)) })
    const a = await peerOn(both.north)
    await listening(await peerOn(both.south))
    const { cid } = await a.data.add(seededBytes(3_000_000, 9))
    await a.topic('news', { codec: text }).publish(cid.toString())
    await until('it is said', () => said.length > 0)
    expect(said[0]).toBe(`a content did not cross: ${cid.toString()} has more than 1000000 bytes`)
  })
})

describe('a bridge', () => {
  it('goes on when one side comes late, and when it was lost', async () => {
    const both = sides()
    const [, south] = await bridged(both, { spread: 0, baseDelay: 1, maxDelay: 5, probeEvery: 5 })
    const [a, b] = [await peerOn(both.north), await peerOn(both.south)]
    const atB = await listening(b)
    await south.stop()
    await until('it runs again', () => {
      try {
        return south.self().length > 0
      } catch {
        return false
      }
    })
    const topic = a.topic('news', { codec: text })
    let arrived = ''
    const reading = next(atB).then((message) => (arrived = message))
    await until('a message crosses', async () => {
      await topic.publish('again')
      await settle()
      return arrived !== ''
    })
    expect(await reading).toBe('again')
  })

  it.each([
    [{ topics: [] }, 'topics must be a list with the names of the topics that cross'],
    [{ topics: ['t'], content: 'all' as never }, 'content must be a function'],
    [{ topics: ['t'], spred: 1 } as never, 'there is no option "spred"'],
    [{ topics: ['t'], bytesPerSecond: 0 }, 'bytesPerSecond must be a number of at least 1']
  ])('refuses %o', (options, message) => {
    expect(() => bridge(memory(), memory(), options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) as string })
    )
  })
})
