import type { Capabilities, Layer, MessageTransport } from '@p2pl/core/backend'
import { seededRandom } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { type FakeBackend, fakeCapabilities, fakeFixture } from '../src/fake/index.ts'
import type { ConformanceNetwork } from '../src/index.ts'
import { changed, messagesOf } from './mutants/mutant.ts'
import { report, runKit } from './support.ts'

const { messages, blocks, routing } = fakeCapabilities

const lossSeed = 7
const everyThird = (): (() => boolean) => {
  const random = seededRandom(lossSeed)
  return () => random() < 1 / 3
}

const weaker: Readonly<Record<string, { capabilities: Capabilities; lose?: () => boolean }>> = {
  everything: { capabilities: fakeCapabilities },
  'messages only': { capabilities: { messages } },
  'blocks only': { capabilities: { blocks } },
  'routing only': { capabilities: { routing } },
  'no routing': { capabilities: { ...fakeCapabilities, routing: undefined } },
  'messages with loss': {
    capabilities: { ...fakeCapabilities, messages: { ...messages, delivery: 'at-most-once' } },
    lose: everyThird()
  },
  'the least that messages can be': {
    capabilities: {
      messages: {
        ...messages,
        delivery: 'at-most-once',
        ordering: 'none',
        echo: true,
        peers: 'none',
        recipients: 'none',
        gaps: 'none',
        validation: 'none',
        sender: 'none',
        pacing: 2
      }
    },
    lose: everyThird()
  },
  'a store for blocks that is nothing but that': {
    capabilities: {
      blocks: {
        ...blocks,
        persistence: 'none',
        remote: false,
        keepsFetched: false,
        pins: 'none',
        gc: 'none',
        hashes: [0x12]
      }
    }
  },
  'gc without pins': { capabilities: { ...fakeCapabilities, blocks: { ...blocks, pins: 'none' } } },
  'pins without gc': { capabilities: { ...fakeCapabilities, blocks: { ...blocks, gc: 'none' } } },
  'what is fetched is not kept': {
    capabilities: { ...fakeCapabilities, blocks: { ...blocks, keepsFetched: false } }
  },
  'routing that can do nothing': {
    capabilities: {
      ...fakeCapabilities,
      routing: {
        provide: 'none',
        unprovide: 'none',
        findProviders: 'none',
        findPeer: 'none',
        connect: 'none',
        recordLifetime: 1
      }
    }
  },
  'no way to find a peer': { capabilities: { ...fakeCapabilities, routing: { ...routing, findPeer: 'none' } } }
}

for (const [name, options] of Object.entries(weaker)) {
  describe(`a right backend that declares ${name}`, () => {
    for (const stated of name === 'everything' || name === 'routing that can do nothing' ? [true, false] : [true])
      it(`passes the whole kit ${stated ? 'with' : 'without'} capabilities in the fixture`, async () => {
        const outcomes = await runKit({
          ...fakeFixture(options),
          ...(stated ? { capabilities: options.capabilities } : {})
        })
        expect(report(outcomes)).toBe('')
        expect(outcomes.length).toBeGreaterThan(30)
      })
  })
}

describe('a right backend that loses its connection for a moment, and that says so', () => {
  const capabilities = { ...fakeCapabilities, messages: { ...messages, delivery: 'at-most-once' as const } }
  const passes = async (
    only: RegExp,
    change: (inner: MessageTransport, node: FakeBackend) => object
  ): Promise<void> => {
    const wrap = (node: FakeBackend): FakeBackend =>
      changed(node, { messages: changed(messagesOf(node), change(messagesOf(node), node)) })
    const outcomes = await runKit({ ...fakeFixture({ capabilities }), wrap: wrap as unknown as Layer }, { only })
    expect(report(outcomes)).toBe('')
  }

  it('passes though a gap comes before the cut', async () => {
    let lost = 0
    await passes(/a loss while cut off is reported/, (inner, { network, store }) => ({
      subscribe: async (...args: Parameters<MessageTransport['subscribe']>) => {
        const joined = await inner.subscribe(...args)
        if (lost++ < 3) network.cut(store.id)()
        return joined
      }
    }))
    expect(lost).toBeGreaterThan(3)
  })

  it('passes though a message has no recipient, and nobody receives it', async () => {
    let lost = 0
    await passes(/number of recipients|lists the remote peers/, (inner, { network, store }) => ({
      publish: async (...args: Parameters<MessageTransport['publish']>) => {
        if (args[1].byteLength === 16 && lost++ % 2 === 0) setTimeout(network.cut(store.id), 30)
        return await inner.publish(...args)
      }
    }))
    expect(lost).toBeGreaterThan(1)
  })
})

describe('the kit', () => {
  it('defines fewer tests where the fixture says that less is declared', async () => {
    const capabilities: Capabilities = { messages }
    const all = await runKit(fakeFixture({ capabilities }), { only: /nothing/ })
    const chosen = await runKit({ ...fakeFixture({ capabilities }), capabilities }, { only: /nothing/ })
    expect(chosen.length).toBeLessThan(all.length)
  })

  it('fails its last test when the runner saw an unhandled rejection', async () => {
    let listening = true
    const outcomes = await runKit(fakeFixture(), {
      only: /nothing at all/,
      onUnhandledRejection: (listener) => {
        listener(new Error('the engine failed and nobody looked'))
        return () => {
          listening = false
        }
      }
    })
    expect(report(outcomes)).toContain('the engine failed and nobody looked')
    expect(listening).toBe(false)
  })

  it('says where it is the fixture that fails', async () => {
    const broken = async (): Promise<never> => {
      throw new TypeError('mistyped')
    }
    const seen = async (part: object, only: RegExp): Promise<string> => {
      const fixture = fakeFixture()
      const create = async (count: number): Promise<ConformanceNetwork> =>
        Object.assign(await fixture.create(count), part)
      return report(await runKit({ ...fixture, create }, { only }))
    }
    const said = (part: string): string =>
      `${part} of the fixture resolves: mend the fixture first, or the code that it calls\n  seen: TypeError: mistyped`
    expect(report(await runKit({ name: 'broken', create: broken }, { only: /self\(\)/ }))).toContain(said('create(1)'))
    expect(await seen({ link: broken }, /messages > /)).toContain(said('link()'))
    expect(await seen({ dispose: broken }, /nothing at all/)).toBe('')
    expect(await seen({ dispose: broken }, /self\(\)/)).toContain(said('dispose()'))
    expect(await seen({ reopen: broken }, /survive|durable|persist|restart/)).toContain(said('reopen(0)'))
    expect(await seen({ cut: broken }, /gap/)).toMatch(/ cut\(\d\) of the fixture resolves/)
    expect(await seen({ cut: async () => broken }, /gap/)).toContain(said('the function that cut(1) returned'))
    expect(await seen({ obstruct: broken }, /lifecycle/)).toContain(said('obstruct(0)'))
  })

  it('fails, not hangs, where the fixture never gives a network', async () => {
    const outcomes = await runKit(
      { name: 'never', patience: 20, create: async () => await new Promise<never>(() => undefined) },
      { only: /self\(\)|get fetches/ }
    )
    expect(report(outcomes)).toContain('create(1) resolves')
  })
})
