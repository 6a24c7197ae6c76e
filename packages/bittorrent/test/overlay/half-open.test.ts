import { until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it, test } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { SwallowingProxy, type Direction } from '../proxy.ts'
import { ascii, portOf } from '../strangers.ts'
import { hears, selfOf } from '../support.ts'

const running = new Set<BittorrentBackend>()
const proxies: SwallowingProxy[] = []

async function started(): Promise<BittorrentBackend> {
  // Without a DHT they know of no other way to each other.
  const backend = bittorrent({ dht: false })
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  for (const proxy of proxies.splice(0)) proxy.close()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

interface Side {
  readonly backend: BittorrentBackend
  readonly heard: string[]
  /** How long the gaps have lasted, milliseconds. */
  readonly lasted: (number | undefined)[]
}

/** Two peers of a topic, the second connected to the first through a proxy. */
async function pair(): Promise<{ listener: Side; dialler: Side; proxy: SwallowingProxy }> {
  const side = async (): Promise<Side> => {
    const backend = await started()
    const heard: string[] = []
    const lasted: (number | undefined)[] = []
    const subscriber = hears((text) => void heard.push(text))
    await backend.messages.subscribe('half-open', {
      ...subscriber,
      gap: (gap) => {
        lasted.push(gap.lasted)
        subscriber.gap?.(gap)
      }
    })
    return { backend, heard, lasted }
  }
  const [listener, dialler] = [await side(), await side()]
  const proxy = await SwallowingProxy.to(portOf(listener.backend))
  proxies.push(proxy)
  await dialler.backend.routing.connect({ ...selfOf(listener.backend), addresses: [proxy.address] })
  await talk(listener, dialler, 'before')
  return { listener, dialler, proxy }
}

const linked = async ({ backend }: Side): Promise<boolean> => (await backend.routing.connections())?.length === 1

/** A message that is handed to the dead link. */
async function say({ backend }: Side, text: string): Promise<void> {
  expect(await backend.messages.publish('half-open', ascii(text))).toEqual({ recipients: 1 })
}

/** Messages go both ways. */
async function talk(one: Side, two: Side, text: string): Promise<void> {
  for (const [from, to] of [
    [one, two],
    [two, one]
  ] as const)
    await until(`${text}: the message arrives`, async () => {
      await from.backend.messages.publish('half-open', ascii(text))
      return to.heard.includes(text)
    })
}

test.each<[string, readonly Direction[]]>([
  ['in both directions', ['up', 'down']],
  ['from the dialler to the listener', ['up']],
  ['from the listener to the dialler', ['down']]
])('a link that is cut %s is known to be cut on both sides, and heals with a gap', async (_, directions) => {
  const { listener, dialler, proxy } = await pair()
  proxy.swallow(directions, false)
  const cutAt = performance.now()
  await say(listener, 'said by the listener')
  await say(dialler, 'said by the dialler')
  // Eight seconds of silence on one side; on the other one as many more where only one direction is dead.
  await until('both know', async () => !(await linked(listener)) && !(await linked(dialler)))
  const cut = [listener.heard.length, dialler.heard.length]
  const knownAt = performance.now()
  proxy.heal()
  await talk(listener, dialler, 'after')
  expect(listener.heard.slice(cut[0])).toContain('gap: disconnected')
  expect(dialler.heard.slice(cut[1])).toContain('gap: disconnected')
  // The gap of a side that was not heard reaches back to before the cut, and what was said meanwhile is brought after it.
  const deaf = directions.includes('up') ? listener : dialler
  expect(Math.max(...deaf.lasted.map((lasted) => lasted ?? 0))).toBeGreaterThanOrEqual(knownAt - cutAt)
  for (const [side, text] of [
    [dialler, 'said by the listener'],
    [listener, 'said by the dialler']
  ] as const) {
    await until(`it hears what was ${text}`, () => side.heard.includes(text))
    expect(side.heard.filter((heard) => heard === text)).toHaveLength(1)
  }
})

test.each(['the one that dialled', 'the other one'])('%s comes back before the other has noticed', async (who) => {
  const { listener, dialler, proxy } = await pair()
  proxy.swallow(['up', 'down'], true)
  await say(listener, 'said by the listener')
  await say(dialler, 'said by the dialler')
  const [id, other] = [selfOf(dialler.backend).id, selfOf(listener.backend).id]
  if (who === 'the one that dialled') {
    await dialler.backend.routing.disconnect(other)
    await dialler.backend.routing.connect({ ...selfOf(listener.backend), addresses: [proxy.address] })
  } else {
    await listener.backend.routing.disconnect(id)
    // Where both could have dialled at once, the former link may win at first.
    await until('it is connected', async () => {
      await listener.backend.routing.connect(selfOf(dialler.backend)).catch(() => {})
      return await linked(listener)
    })
  }
  await talk(listener, dialler, 'after')
  expect(await linked(listener)).toBe(true)
  expect(await linked(dialler)).toBe(true)
  await until('what was lost with the former link is heard', () =>
    [dialler.heard.includes('said by the listener'), listener.heard.includes('said by the dialler')].every(Boolean)
  )
})

it('a quiet link stays', async () => {
  const { listener, dialler } = await pair()
  const end = performance.now() + 12_000
  await until('longer than silence may last', () => performance.now() > end)
  expect(await linked(listener)).toBe(true)
  expect([...listener.heard, ...dialler.heard]).not.toContain('gap: disconnected')
})
