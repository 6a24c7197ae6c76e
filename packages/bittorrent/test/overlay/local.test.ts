import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createPeer } from '@p2pl/core'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import {
  decodeLocal,
  encodeLocal,
  localGroup,
  localPort,
  maxLocalKeys
} from '../../src/overlay/rendezvous/local-message.ts'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../../src/index.ts'
import { linkKey, topicKey } from '../../src/overlay/keys.ts'
import { hears, selfOf } from '../support.ts'

const running = new Set<BittorrentBackend>()
const sockets: Socket[] = []

/** In a network of its own kind: the loopback interface. */
async function started(options?: BittorrentOptions): Promise<BittorrentBackend> {
  const backend = bittorrent({ profile: 'lan', host: '127.0.0.1', ...options })
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

/** Somebody else in the group. */
async function listener(): Promise<{ socket: Socket; heard: Buffer[] }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  sockets.push(socket)
  const heard: Buffer[] = []
  socket.on('message', (bytes) => void heard.push(bytes))
  await new Promise<void>((resolve) => socket.bind(localPort, () => resolve()))
  socket.addMembership(localGroup, '127.0.0.1')
  socket.setMulticastInterface('127.0.0.1')
  return { socket, heard }
}

it('those who know nobody meet in a topic, and fetch from each other, by multicast alone', async () => {
  const [one, two] = [await started({ dht: false }), await started({ dht: false })]
  // Everybody on this machine hears the multicast: other runs of this test as well.
  const topic = randomBytes(8).toString('hex')
  const heard: string[] = []
  await one.messages.subscribe(
    topic,
    hears((text) => void heard.push(text))
  )
  await two.messages.subscribe(topic, hears())
  await until('they have met', async () => (await two.messages.peers(topic))?.length === 1)
  await two.messages.publish(topic, new Uint8Array(Buffer.from('hello')))
  await until('the message is there', () => heard.includes('hello'))
})

it('a peer that only fetches finds the file and its torrent', async () => {
  const bytes = seededBytes(2 * 1_048_576 + 3, 51)
  const [one, two] = [await started(), await started()]
  const peer = await createPeer({ backend: one })
  const { cid } = await peer.data.add(bytes)
  const reader = await createPeer({ backend: two })
  const parts: Uint8Array[] = []
  for await (const part of reader.data.get(cid)) parts.push(part)
  expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0)
  // Without the address of the seeder in the link.
  const magnet = (await one.magnet(cid)).replace(/&x\.pe=[^&]*/g, '')
  const third = await started({ dht: false })
  expect((await third.importTorrent(magnet, { signal: AbortSignal.timeout(90_000) })).cid.toString()).toBe(
    cid.toString()
  )
})

it('links a network that has no bootstrap node, so that records can be kept', async () => {
  const [one, two] = [await started(), await started()]
  await until('they are linked', async () => (await one.routing.connections())?.some(({ id }) => id === selfOf(two).id))
  const peer = await createPeer({ backend: one })
  const { cid } = await peer.data.add(seededBytes(100, 53))
  await one.routing.provide(cid)
  const found = await until('it is found', async () => {
    const ids: string[] = []
    for await (const { id } of two.routing.findProviders(cid) ?? []) ids.push(id)
    return ids.length > 0 && ids
  })
  expect(found).toEqual([selfOf(one).id])
})

it('tells nobody in closed networks', async () => {
  const { heard } = await listener()
  const backend = await started({ profile: 'closed' })
  const topic = randomBytes(8).toString('hex')
  await backend.messages.subscribe(topic, hears())
  // The one that does tell comes after it: by then its word would be there.
  const open = await started()
  await open.messages.subscribe(`${topic}-open`, hears())
  const said = (name: string): boolean => {
    const key = Buffer.from(topicKey(name)).toString('hex')
    return heard.some((bytes) => bytes.includes(key))
  }
  await until('the other is heard', () => said(`${topic}-open`))
  expect(said(topic)).toBe(false)
  expect(() => bittorrent({ localDiscovery: true })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

it('answers who looks for what it has, a few times and not without end', async () => {
  const { socket, heard } = await listener()
  const backend = await started()
  const topic = randomBytes(8).toString('hex')
  const key = topicKey(topic)
  await backend.messages.subscribe(topic, hears())
  const name = Buffer.from(key).toString('hex')
  // Everybody in the group hears these, the sender as well.
  const answers = (): number => heard.filter((bytes) => bytes.includes(name) && !bytes.includes('flood')).length
  await until('it says so by itself', () => answers() > 0)
  const wild: Uint8Array[] = [
    new Uint8Array(),
    new Uint8Array(randomBytes(1_400)),
    new Uint8Array(60_000),
    new Uint8Array(Buffer.from('BT-SEARCH * HTTP/1.1\r\n')),
    new Uint8Array(Buffer.from(`BT-SEARCH * HTTP/1.1\r\nPort: 99999\r\nInfohash: ${name}\r\n\r\n\r\n`)),
    new Uint8Array(Buffer.from(`BT-SEARCH * HTTP/1.1\r\nHost\r\nPort: x\r\nInfohash: ${'g'.repeat(40)}\r\n\r\n\r\n`))
  ]
  const send = async (bytes: Uint8Array): Promise<void> =>
    await new Promise<void>((resolve) => socket.send(bytes, localPort, localGroup, () => resolve()))
  for (const bytes of wild) await send(bytes)
  for (let i = 0; i < 2_000; i++) await send(encodeLocal({ port: 1, keys: [key, linkKey], cookie: `flood-${i}` }))
  // It lives, and others still meet it.
  const other = await started()
  await other.messages.subscribe(topic, hears())
  await until('they have met', async () => (await other.messages.peers(topic))?.length === 1)
  expect(answers()).toBeLessThan(20)
})

it('reads what it writes, and nothing else', () => {
  const keys = Array.from({ length: 30 }, (_, i) => new Uint8Array(20).fill(i))
  const bytes = encodeLocal({ port: 6_881, keys, cookie: 'me' })
  expect(bytes.byteLength).toBeLessThanOrEqual(1_400)
  expect(decodeLocal(bytes)).toEqual({ port: 6_881, keys: keys.slice(0, maxLocalKeys), cookie: 'me' })
  // As a stock client writes it.
  const stock = `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${'AB'.repeat(20)}\r\n\r\n\r\n`
  expect(decodeLocal(new Uint8Array(Buffer.from(stock)))).toEqual({
    port: 6_881,
    keys: [new Uint8Array(20).fill(0xab)],
    cookie: undefined
  })
})
