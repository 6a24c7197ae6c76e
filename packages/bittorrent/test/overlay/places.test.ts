import { type Socket } from 'node:net'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../../src/index.ts'
import { topicKey } from '../../src/overlay/keys.ts'
import { frame } from '../../src/overlay/links/frames.ts'
import { portOf, rawSocket, stranger, type Stranger } from '../strangers.ts'
import { hears, selfOf } from '../support.ts'

const running = new Set<BittorrentBackend>()
const sockets: (Socket | Stranger)[] = []

async function started(options?: BittorrentOptions): Promise<BittorrentBackend> {
  const backend = bittorrent(options)
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

const max = 24

/** Says every second that it is there, and nothing else. */
async function idler(victim: BittorrentBackend): Promise<Stranger> {
  const own = await stranger(portOf(victim))
  sockets.push(own)
  const timer = setInterval(() => own.send(frame.keepAlive), 1_000)
  own.socket.once('close', () => clearInterval(timer))
  return own
}

/** Newcomers get in, whatever has taken the places. */
async function newcomersGetIn(victim: BittorrentBackend): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const newcomer = await started()
    await newcomer.routing.connect(selfOf(victim), { signal: AbortSignal.timeout(90_000) })
    const ids = ((await victim.routing.connections()) ?? []).map(({ id }) => id)
    expect(ids).toContain(selfOf(newcomer).id)
  }
}

it('connections that say nothing make room for newcomers', async () => {
  const victim = await started({ maxConnections: max })
  const kept = await started()
  await victim.routing.connect(selfOf(kept))
  for (let i = 0; i < 3 * max; i++) sockets.push(await rawSocket(portOf(victim)))
  await newcomersGetIn(victim)
  expect(((await victim.routing.connections()) ?? []).map(({ id }) => id)).toContain(selfOf(kept).id)
})

it('links that bring nothing make room for newcomers, the longest idle first', async () => {
  const victim = await started({ maxConnections: max })
  const kept = await started()
  await victim.routing.connect(selfOf(kept))
  const idle: Stranger[] = []
  for (let i = 0; i < max - 1; i++) idle.push(await idler(victim))
  await until('they have had their time', async () => {
    await newcomersGetIn(victim).catch(() => {})
    return idle.filter(({ closed }) => closed).length >= 3
  })
  await newcomersGetIn(victim)
  // The ends of connections may come in another order than they were closed in.
  await until('those that are gone are the first', () => {
    const gone = idle.map(({ closed }) => closed)
    return gone.lastIndexOf(true) === gone.filter(Boolean).length - 1
  })
  expect(((await victim.routing.connections()) ?? []).map(({ id }) => id)).toContain(selfOf(kept).id)
})

it('links of a topic stay while idle ones go', async () => {
  const victim = await started({ maxConnections: max })
  await victim.messages.subscribe('useful', hears())
  const useful = await idler(victim)
  useful.send(frame.topics, Uint8Array.of(1), topicKey('useful'))
  await until('it is in the topic', async () => (await victim.messages.peers('useful'))?.length === 1)
  for (let i = 0; i < 2 * max; i++) {
    await until('there is room', async () => await idler(victim).catch(() => undefined))
  }
  expect(useful.closed).toBe(false)
})
