import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { defineBackend, type OpenedBackend, type Subscriber } from '../../src/backend.ts'
import { block, blocks, defined, everyHook, messages, never, opened, peer, routing, started } from './support.ts'

describe('arguments', () => {
  it('are checked before the engine is asked', async () => {
    let asked = 0
    const backend = await started(
      everyHook(async () => {
        asked++
        return await never()
      })
    )
    const { messages: m, blocks: b, routing: r } = backend
    const good = await block()
    const truncated = CID.createV1(0x55, {
      code: 0x12,
      size: 20,
      digest: new Uint8Array(20),
      bytes: Uint8Array.of(0x12, 20, ...new Uint8Array(20))
    })
    const blake = CID.createV1(0x55, { code: 0x1e, size: 32, digest: new Uint8Array(32), bytes: new Uint8Array(34) })
    const subscriber: Subscriber = { message: () => 'accept', gap: () => undefined }
    const wrong: [string, () => unknown][] = [
      ['INVALID_ARGUMENT', () => m?.publish('', new Uint8Array(1))],
      ['INVALID_ARGUMENT', () => m?.publish('x'.repeat(1_025), new Uint8Array(1))],
      ['INVALID_ARGUMENT', () => m?.publish('t', 'text' as never)],
      ['TOO_LARGE', () => m?.publish('t', new Uint8Array(11))],
      ['INVALID_ARGUMENT', () => m?.subscribe('ü'.repeat(513), subscriber)],
      ['INVALID_ARGUMENT', () => m?.peers(5 as never)],
      ['INVALID_ARGUMENT', () => b?.get('bafk' as never)],
      ['UNSUPPORTED', () => b?.get(blake)],
      ['UNSUPPORTED', () => b?.get(truncated)],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { local: true, remote: true })],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { providers: peer as never })],
      ['INVALID_ARGUMENT', () => b?.get(good.cid, { providers: [{ id: 'x', addresses: [] } as never] })],
      ['INVALID_ARGUMENT', () => b?.putMany(good as never)],
      ['INVALID_ARGUMENT', () => b?.putMany([good.cid as never])],
      ['TOO_LARGE', () => b?.putMany([{ cid: good.cid, bytes: new Uint8Array(11) }])],
      ['UNSUPPORTED', () => b?.putMany([{ cid: truncated, bytes: new Uint8Array(1) }])],
      ['UNSUPPORTED', () => b?.putMany([{ cid: blake, bytes: new Uint8Array(1) }])],
      ['INVALID_ARGUMENT', () => b?.pin(good.cid, { maxBytes: -1 })],
      ['INVALID_ARGUMENT', () => r?.connect({ network: 'net', id: 'self', addresses: [] })],
      ['INVALID_ARGUMENT', () => r?.connect('/ip4/127.0.0.1' as never)],
      ['UNSUPPORTED', () => r?.connect({ ...peer, network: 'elsewhere' })],
      ['INVALID_ARGUMENT', () => r?.findPeer('')],
      ['INVALID_ARGUMENT', () => r?.findProviders(good.cid, { limit: 0 })[Symbol.asyncIterator]().next()]
    ]
    for (const [code, call] of wrong)
      await expect(call(), String(call)).rejects.toMatchObject({ code, backend: 'test' })
    expect(asked).toBe(0)
    await backend.stop()
  })

  it('a feature that is none is refused, and its hook never asked', async () => {
    const backend = defined({
      capabilities: {
        messages: { ...messages, peers: 'none' },
        blocks: { ...blocks, pins: 'none', gc: 'none', remote: false },
        routing: {
          ...routing,
          provide: 'none',
          unprovide: 'none',
          findProviders: 'none',
          findPeer: 'none',
          connect: 'none'
        }
      }
    })
    await backend.start()
    const { cid } = await block()
    const { messages: m, blocks: b, routing: r } = backend
    const refused = [
      m?.peers('t'),
      b?.pin(cid),
      b?.unpin(cid),
      b?.pins()[Symbol.asyncIterator]().next(),
      b?.gc()[Symbol.asyncIterator]().next(),
      b?.get(cid, { remote: true }),
      r?.provide(cid),
      r?.unprovide(cid),
      r?.findProviders(cid)[Symbol.asyncIterator]().next(),
      r?.findPeer('x'),
      r?.connect(peer),
      r?.disconnect('x'),
      r?.connections()
    ]
    for (const call of refused) await expect(call).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await backend.stop()
  })

  it('hints of other networks or of this peer are left out, and providers are distinct and never the own peer', async () => {
    let hints: unknown
    const backend = await started({
      blocks: {
        ...(opened().blocks as NonNullable<OpenedBackend['blocks']>),
        get: async (_cid, { providers }) => {
          hints = providers
          return new Uint8Array(1)
        }
      },
      routing: {
        ...(opened().routing as NonNullable<OpenedBackend['routing']>),
        findProviders: async function* () {
          for (const id of ['a', 'self', 'a', 'b', 'c']) yield { network: 'net', id, addresses: [] }
        }
      }
    })
    const { cid } = await block()
    await backend.blocks?.get(cid, { providers: [{ ...peer, network: 'elsewhere' }, { ...peer, id: 'self' }, peer] })
    expect(hints).toEqual([peer])
    const found: string[] = []
    for await (const { id } of backend.routing?.findProviders(cid, { limit: 2 }) ?? []) found.push(id)
    expect(found).toEqual(['a', 'b'])
    await backend.stop()
  })
})

describe('defineBackend', () => {
  const good = {
    name: 'n',
    network: 'n',
    capabilities: {},
    open: async () => ({ self: () => ({ id: 'x', addresses: [] }), close: async () => undefined })
  }

  it.each([
    ['nothing', undefined, 'name'],
    ['a number as network', { ...good, network: 5 }, 'network'],
    ['a name alone', { name: 'n' }, 'capabilities'],
    ['an empty name', { ...good, name: '' }, 'name'],
    ['no capabilities', { ...good, capabilities: undefined }, 'capabilities'],
    ['no open', { ...good, open: undefined }, 'open'],
    ['a table as classify', { ...good, classify: {} }, 'classify'],
    ['a mistyped hook', { ...good, clasify: () => undefined }, '"clasify"']
  ])('refuses %s at once', (_name, definition, part) => {
    expect(() => defineBackend(definition as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
    )
  })

  it('takes a whole definition', () => {
    expect(defineBackend(good).name).toBe('n')
  })
})
