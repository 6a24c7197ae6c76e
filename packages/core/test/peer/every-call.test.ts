import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import type { Backend } from '../../src/backend.ts'
import { defineBackend } from '../../src/backend.ts'
import { createPeer } from '../../src/index.ts'
import type { CallOptions, Peer } from '../../src/index.ts'
import { blockCapabilities } from '../data/store-backend.ts'
import { createBus } from '../support/bus.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

/** Declares everything and answers nothing. */
function silent(): { backend: Backend; asked: string[] } {
  const asked: string[] = []
  const never = (name: string) => (): Promise<never> => {
    asked.push(name)
    return new Promise(() => undefined)
  }
  const neverAny = (name: string) => (): AsyncIterable<never> => ({
    [Symbol.asyncIterator]: () => ({ next: never(name), return: () => new Promise(() => undefined) })
  })
  const backend = defineBackend({
    name: 'silent',
    network: 'silent',
    capabilities: {
      messages: createBus().backend('silent').capabilities.messages,
      blocks: { ...blockCapabilities, pins: 'native', gc: 'native', remote: true },
      routing: {
        provide: 'native',
        unprovide: 'native',
        findProviders: 'native',
        findPeer: 'native',
        connect: 'native',
        recordLifetime: Infinity
      }
    },
    open: async () => ({
      self: () => ({ id: 'silent', addresses: [] }),
      close: async () => undefined,
      messages: { publish: never('publish'), join: never('join'), peers: never('peers') },
      blocks: {
        get: never('get'),
        putMany: never('putMany'),
        has: never('has'),
        delete: never('delete'),
        pin: never('pin'),
        unpin: never('unpin'),
        pins: neverAny('pins'),
        gc: neverAny('gc')
      },
      routing: {
        provide: never('provide'),
        unprovide: never('unprovide'),
        findProviders: neverAny('findProviders'),
        findPeer: never('findPeer'),
        connect: never('connect'),
        disconnect: never('disconnect'),
        connections: never('connections')
      }
    })
  })
  return { backend, asked }
}

const large = new Uint8Array(300 * 1024)
const every: Readonly<Record<string, (peer: Peer, options?: CallOptions) => Promise<unknown>>> = {
  'topic.publish': (peer, o) => peer.topic('t').publish(new Uint8Array(1), o),
  'topic.publish of a claim': (peer, o) => peer.topic('t').publish(large, o),
  'topic.publish, raw': (peer, o) => peer.topic('t', { mode: 'raw' }).publish(new Uint8Array(1), o),
  'topic.ready': (peer, o) => peer.topic('t').ready(o),
  'topic.peers': (peer, o) => peer.topic('t').peers(o),
  'data.add': (peer, o) => peer.data.add(large, o),
  'data.get': (peer, o) => peer.data.get(cid, o).next(),
  'data.bytes': (peer, o) => peer.data.bytes(cid, o),
  'data.stat': (peer, o) => peer.data.stat(cid, o),
  'data.has': (peer, o) => peer.data.has(cid, o),
  'data.pin': (peer, o) => peer.data.pin(cid, o),
  'data.unpin': (peer, o) => peer.data.unpin(cid, o),
  'data.pins': (peer, o) => peer.data.pins(o).next(),
  'data.gc': (peer, o) => peer.data.gc(o).next(),
  'data.provide': (peer, o) => peer.data.provide(cid, o),
  'data.unprovide': (peer, o) => peer.data.unprovide(cid, o),
  'data.findProviders': (peer, o) => peer.data.findProviders(cid, o).next(),
  'blocks.get': (peer, o) => peer.blocks.get(cid, o),
  'blocks.put': (peer, o) => peer.blocks.put(large, o),
  'blocks.putMany': (peer, o) => peer.blocks.putMany([{ cid, bytes: large }], o),
  'blocks.has': (peer, o) => peer.blocks.has(cid, o),
  'blocks.delete': (peer, o) => peer.blocks.delete(cid, o),
  'network.findPeer': (peer, o) => peer.network.findPeer('x', o),
  'network.connect': (peer, o) => peer.network.connect({ network: 'silent', id: 'x', addresses: [] }, o),
  'network.disconnect': (peer, o) => peer.network.disconnect('x', o),
  'network.connections': (peer, o) => peer.network.connections(o)
}

describe.each(Object.entries(every))('%s', (_name, call) => {
  it('does nothing with a signal that has fired', async () => {
    const { backend, asked } = silent()
    const peer = await createPeer({ backend })
    await expect(call(peer, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(asked).toEqual([])
    await peer.stop()
  })

  it('ends with its signal, whatever the backend makes of it', async () => {
    const { backend, asked } = silent()
    const peer = await createPeer({ backend })
    const controller = new AbortController()
    const called = expect(call(peer, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await settle()
    expect(asked).not.toEqual([])
    controller.abort()
    await called
    await peer.stop()
  })

  it('has a default timeout and takes one, and refuses what is none', async () => {
    const { backend } = silent()
    const clock = new VirtualClock()
    const peer = await createPeer({ backend, environment: { clock } })
    for (const options of [undefined, { timeout: 20 }]) {
      const code = expect(call(peer, options)).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:TIMEOUT|NO_PEERS|UNCERTAIN)$/) as string
      })
      await clock.advance(options === undefined ? 60_001 : 21)
      await code
    }
    for (const timeout of [0, -1, Number.NaN, '5']) {
      await expect(call(peer, { timeout } as CallOptions)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    await peer.stop()
  })

  it('ends when the peer stops', async () => {
    const { backend } = silent()
    const peer = await createPeer({ backend, environment: { clock: new VirtualClock() } })
    const ended = call(peer).catch((error: unknown) => error)
    await settle()
    await peer.stop()
    await settle()
    expect(await Promise.race([ended, settle().then(() => 'pending')])).toMatchObject({ code: 'NOT_RUNNING' })
    await expect((async () => await call(peer))()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  })
})

describe('an option that does not exist', () => {
  it.each(Object.entries(every))('is refused by %s', async (_name, call) => {
    const { backend, asked } = silent()
    const peer = await createPeer({ backend })
    const wrong = { timeot: 5 } as CallOptions
    await expect((async () => await call(peer, wrong))()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('timeot') as string
    })
    expect(asked).toEqual([])
    await peer.stop()
  })
})
