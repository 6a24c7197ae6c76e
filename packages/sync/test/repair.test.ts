import { createPeer } from '@p2pl/core'
import type { Backend, Peer } from '@p2pl/core'
import { P2plError } from '@p2pl/core'
import { untilAborted } from '@p2pl/core/backend'
import { createSimulator } from '@p2pl/simulator'
import type { Simulator } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import { mapKey } from '../src/bytes.ts'
import { openView } from '../src/index.ts'
import type { View } from '../src/index.ts'
import { decodeMessage } from '../src/wire/messages.ts'
import { bytesOf, memoryDatabase } from './support/peers.ts'

const topic = 'test'
const beaconPeriod = 1000

/** Why a peer gets no blocks from others: nobody can be asked, or nobody answers until the caller gives up. */
type Deafness = 'refused' | 'unanswered'

/** A backend that has its own blocks and gets none from others. */
function withoutRemote(backend: Backend, deafness: Deafness): Backend {
  const blocks = backend.blocks as NonNullable<Backend['blocks']>
  const deaf = new Proxy(blocks, {
    get: (target, name) => {
      if (name === 'get') {
        return async (...[cid, options]: Parameters<typeof blocks.get>) => {
          if (options?.local === true) return await target.get(cid, options)
          if (deafness === 'unanswered')
            return await untilAborted(new Promise<never>(() => {}), options?.signal ?? new AbortController().signal)
          throw new P2plError({ code: 'NOT_FOUND', message: 'nobody can be asked here', operation: 'blocks.get' })
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
  return new Proxy(backend, {
    get: (target, name) => {
      if (name === 'blocks') return deaf
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

async function open(simulator: Simulator, id: string, deaf?: Deafness): Promise<{ view: View; peer: Peer }> {
  const process = simulator.host(id).boot()
  const backend = deaf === undefined ? process.backend : withoutRemote(process.backend, deaf)
  const peer = await simulator.complete(createPeer({ ...process, backend }))
  const opening = openView({ peer, topic, store: memoryDatabase(), beaconPeriod })
  return { peer, view: await simulator.complete(opening) }
}

/** What peers ask everybody for, and how often others send it, or its size. */
interface Heard {
  readonly wanted: Set<string>
  blocks: number
  sizes: number
}

async function listen(simulator: Simulator): Promise<Heard> {
  const peer = await simulator.complete(createPeer(simulator.host('listener').boot()))
  const heard: Heard = { wanted: new Set(), blocks: 0, sizes: 0 }
  const subscription = peer.topic(topic).subscribe()
  await simulator.complete(subscription.joined)
  void (async () => {
    for await (const item of subscription) {
      if (item.type !== 'message') continue
      const message = decodeMessage(item.payload)
      if (message.kind === 'answer') {
        heard.blocks += message.blocks.length
        heard.sizes += message.larger.length
      }
      if (message.kind === 'request') for (const digest of message.wanted) heard.wanted.add(mapKey(digest))
    }
  })()
  return heard
}

test.each([
  { deafness: 'refused', entries: 30, seeds: 20 },
  { deafness: 'unanswered', entries: 6, seeds: 1 },
  { deafness: 'unanswered', entries: 300, seeds: 1 }
] as const)(
  'a peer whose fetches are $deafness converges by repair alone, $entries entries',
  async ({ deafness, entries, seeds }) => {
    const total = { wanted: 0, blocks: 0, sizes: 0 }
    for (let seed = 1; seed <= seeds; seed++) {
      const simulator = createSimulator({ seed })
      const heard = await listen(simulator)
      const others = [await open(simulator, 'a'), await open(simulator, 'b'), await open(simulator, 'c')]
      for (let i = 0; i < entries; i++) await simulator.complete(others[i % 3]!.view.append(bytesOf(`${i}`)))
      await simulator.run({ for: 5 * beaconPeriod })
      const { view } = await open(simulator, 'deaf', deafness)
      const { root } = await simulator.complete(others[0]!.view.digest())
      const converged = await simulator.runUntil(async () => (await view.digest()).root.equals(root), {
        limit: 60 * beaconPeriod
      })
      expect(converged).toBe(true)
      expect(view.count).toBe(entries)
      expect(heard.wanted.size).toBeGreaterThan(0)
      total.wanted += heard.wanted.size
      total.blocks += heard.blocks
      total.sizes += heard.sizes
    }
    // Three have each of them, and mostly one answers. Where few are wanted, that is a matter of luck in one run.
    expect(total.blocks).toBeLessThan(2 * total.wanted)
    expect(total.sizes).toBeLessThan(2 * total.wanted)
  }
)

test('a parent that was lost on the way is fetched from whoever announced its child', async () => {
  const simulator = createSimulator({ seed: 2 })
  const heard = await listen(simulator)
  const { view: a } = await open(simulator, 'a')
  const { view: b } = await open(simulator, 'b')
  await simulator.run({ for: 2 * beaconPeriod })
  const deaf = simulator.block(['a'], ['b'])
  const lost = await simulator.complete(a.append(bytesOf('lost')))
  await simulator.run({ for: 1 })
  deaf.end()
  const child = await simulator.complete(a.append(bytesOf('child')))
  expect(await simulator.runUntil(() => b.count === 2, { limit: beaconPeriod })).toBe(true)
  expect(await b.has(lost.cid)).toBe(true)
  expect(await b.has(child.cid)).toBe(true)
  expect(heard.wanted.size).toBe(0)
})

test('superseded nodes and old entries do not stay with the backend for ever', async () => {
  const simulator = createSimulator({ seed: 3 })
  const { view, peer } = await open(simulator, 'a')
  const { store } = simulator.host('a')
  for (let i = 0; i < 40; i++) {
    await simulator.complete(view.append(bytesOf(`${i}`)))
    await simulator.complete(view.publishDigest())
    await simulator.run({ for: beaconPeriod / 2 })
  }
  const { root } = await simulator.complete(view.publishDigest())
  expect(await peer.blocks.has(root)).toBe(true)
  // 40 entries, the nodes of the current root and those of the last eight periods.
  expect(store.blocks.size).toBeLessThan(40 + 45)
})
