import { describe, expect, it } from 'vitest'
import { defineBackend, type EngineEvent, P2plError, type PeerInfo } from '../../src/backend.ts'
import { createPeer, type BackendEvent, type Peer } from '../../src/index.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Dialled {
  readonly peer: Peer
  readonly clock: VirtualClock
  readonly dials: string[]
  readonly events: BackendEvent[]
  /** Ids that answer. */
  readonly there: Set<string>
  readonly lose: (id: string) => void
}

async function dialling(bootstrap: readonly PeerInfo[] = []): Promise<Dialled> {
  const clock = new VirtualClock()
  const dials: string[] = []
  const there = new Set<string>()
  const connected = new Set<string>()
  const events: BackendEvent[] = []
  let report: (event: EngineEvent) => void = () => undefined
  const backend = defineBackend({
    name: 'dial',
    network: 'net',
    capabilities: {
      routing: {
        provide: 'none',
        unprovide: 'none',
        findProviders: 'none',
        findPeer: 'none',
        connect: 'native',
        recordLifetime: Infinity
      }
    },
    open: async (options) => {
      report = options.report
      return {
        self: () => ({ id: 'me', addresses: [] }),
        close: async () => undefined,
        routing: {
          bootstrap,
          parseAddress: (text) =>
            text.startsWith('net:') ? { network: 'net', id: text.slice(4), addresses: [text] } : undefined,
          connect: async ({ id }) => {
            if (connected.has(id)) return
            dials.push(id)
            if (!there.has(id)) throw new P2plError({ code: 'UNREACHABLE', message: `${id} is away` })
            connected.add(id)
          },
          disconnect: async (id) => void connected.delete(id),
          connections: async () => [...connected].map((id) => ({ network: 'net', id, addresses: [] }))
        }
      }
    }
  })
  const environment = { clock, random: () => 0.5 }
  const peer = await createPeer({ backend, environment, onEvent: (event) => events.push(event) })
  return {
    peer,
    clock,
    dials,
    events,
    there,
    lose: (id) => {
      connected.delete(id)
      report({ type: 'peer:disconnect', id })
    }
  }
}

const them = { network: 'net', id: 'them', addresses: ['net:them'] }

describe('kept connections', () => {
  it('are tried again after a first attempt that failed', async () => {
    const { peer, clock, dials, there } = await dialling()
    await expect(peer.network.connect(them)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await clock.advance(2_000)
    there.add('them')
    await clock.advance(3_000)
    expect((await peer.network.connections()).map(({ id }) => id)).toEqual(['them'])
    const attempts = dials.length
    await clock.advance(600_000)
    expect(dials.length).toBe(attempts)
    await peer.stop()
  })

  it('are made again when they are lost, with growing pauses, until disconnect', async () => {
    const { peer, clock, dials, there, lose } = await dialling()
    there.add('them')
    await peer.network.connect([them])
    lose('them')
    await clock.advance(1_000)
    expect(dials).toHaveLength(2)
    there.clear()
    lose('them')
    await clock.advance(600_000)
    // At most every 30 s in the end.
    expect(dials.length).toBeGreaterThan(10)
    expect(dials.length).toBeLessThan(50)
    await peer.network.disconnect('them')
    const attempts = dials.length
    await clock.advance(600_000)
    expect(dials.length).toBe(attempts)
    await peer.stop()
  })

  it('are found lost without an event, and end with the peer', async () => {
    const { peer, clock, dials, there } = await dialling()
    there.add('them')
    await peer.network.connect(them)
    // The engine lost it and said nothing.
    await peer.network.connections()
    const { dials: before } = { dials: dials.length }
    await clock.advance(16_000)
    expect(dials.length).toBe(before)
    await peer.stop()
    await clock.advance(600_000)
    expect(dials.length).toBe(before)
  })

  it('to bootstrap peers begin at start, and one that does not answer is told once', async () => {
    const { peer, clock, events, there } = await dialling([them])
    await clock.advance(60_000)
    expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining('net:them') as string }])
    there.add('them')
    await clock.advance(40_000)
    expect(await peer.network.connections()).toHaveLength(1)
    await peer.stop()
  })

  it('take a text that the engine reads, and name what is wrong with others', async () => {
    const { peer, there } = await dialling()
    there.add('them')
    await peer.network.connect('net:them')
    const wrong: unknown[] = ['/ip4/127.0.0.1/tcp/1', '', 5, null, undefined, {}, { id: 'x' }, [], [{ id: 'x' }]]
    for (const address of wrong) {
      await expect(peer.network.connect(address as string), String(address)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT'
      })
    }
    await expect(peer.network.connect({ ...them, network: 'other' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('net') as string
    })
    await peer.stop()
  })
})
