import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { LostLinks } from '../../src/overlay/gossip/lost-links.ts'
import type { Link } from '../../src/overlay/links/link.ts'
import { longestSilence } from '../../src/overlay/links/liveness.ts'
import type { Dht } from '../../src/overlay/rendezvous/dht.ts'
import { Rendezvous } from '../../src/overlay/rendezvous/rendezvous.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const close of closers.splice(0).toReversed()) await close()
})

it('a connection that was made while this process stood still has come in time', async () => {
  const server = createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  const backend: BittorrentBackend = bittorrent({ dht: false })
  await backend.start()
  closers.push(() => backend.stop())
  const { dialler } = (backend.engine as Engine).overlay
  const { port } = server.address() as AddressInfo
  const { setTimeout: realTimeout } = globalThis
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  // Among timers, as when the process goes on.
  await new Promise((resolve) => realTimeout(resolve, 1))
  const connecting = dialler.connect({ host: '127.0.0.1', port })
  await new Promise<void>((resolve) => process.nextTick(resolve))
  // The system has connected by now, and nobody here knows.
  vi.advanceTimersByTime(3_001)
  const socket = await connecting
  expect(socket.destroyed).toBe(false)
  socket.destroy()
})

it('a node whose answer takes two turns is there, also where this process stood still before them', async () => {
  let size = 0
  const dht = {
    get size() {
      return size
    }
  } as Dht
  const rendezvous = new Rendezvous({ dht, local: undefined, trackers: [], peerId: new Uint8Array(20), port: () => 1 })
  closers.push(() => rendezvous.stop())
  const reachable = rendezvous.reachable(() => false, new AbortController().signal)
  setImmediate(() => setImmediate(() => (size = 1)))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  expect(await reachable).toBe(true)
})

it('a peer whose looks came late, so that it cut the link late, is told of all that it has missed', () => {
  const lost = new LostLinks()
  const [id, topic] = ['a peer', 'a topic']
  // It has heard nothing from here on, and was heard until it cut the link, which took twice as long as it should.
  const deafSince = 100_000
  const link = { id, openedAt: 0, heardAt: deafSince + 2 * longestSilence } as Link
  lost.add(link, [topic])
  expect(lost.take({ id } as Link, topic)).toBeLessThanOrEqual(deafSince)
})
