import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { concatBytes } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { linkKey, topicKey } from '../../src/overlay/keys.ts'
import { frame } from '../../src/overlay/links/frames.ts'
import { encodeHandshake } from '../../src/overlay/wire/handshake.ts'
import { bencode } from '../../src/tools/bencode.ts'
import { readUint16, uint32 } from '../../src/tools/bytes.ts'
import { ascii, frameBytes, portOf, rawSocket, stranger as openStranger, type Stranger } from '../strangers.ts'
import { hears, link, selfOf } from '../support.ts'

let victim: BittorrentBackend
let friend: BittorrentBackend
const crashes: unknown[] = []
const sockets: (Socket | Stranger)[] = []
const onCrash = (error: unknown): void => void crashes.push(error)

beforeEach(async () => {
  crashes.length = 0
  process.on('uncaughtException', onCrash)
  process.on('unhandledRejection', onCrash)
  victim = bittorrent()
  friend = bittorrent()
  await Promise.all([victim.start(), friend.start()])
  await link([victim, friend])
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all([victim.stop(), friend.stop()])
  process.off('uncaughtException', onCrash)
  process.off('unhandledRejection', onCrash)
  expect(crashes).toEqual([])
})

/** The victim still does its work for others. */
async function stillWorks(): Promise<void> {
  const bytes = seededBytes(20_000, sockets.length + 1)
  const cid = CID.decode(concatBytes(Uint8Array.of(1, 0x55, 0x12, 0x20), createHash('sha256').update(bytes).digest()))
  await victim.blocks.putMany([{ cid, bytes }])
  const got = await friend.blocks.get(cid, { providers: [selfOf(victim)], signal: AbortSignal.timeout(90_000) })
  expect(got?.byteLength).toBe(bytes.byteLength)
}

/** A peer that the test speaks for. */
async function stranger(): Promise<Stranger> {
  const own = await openStranger(portOf(victim))
  sockets.push(own)
  return own
}

/** A connection on which the test sends any bytes. */
async function raw(): Promise<Socket> {
  const socket = await rawSocket(portOf(victim))
  sockets.push(socket)
  socket.resume()
  return socket
}

async function hangsUp(socket: { readonly closed: boolean }): Promise<void> {
  await until('the victim hangs up', () => socket.closed)
}

it('answers nothing to malformed packets of the DHT, and lives', async () => {
  const { heard } = await stranger()
  // The greeting names the port.
  const dhtPort = readUint16(heard.find(({ kind }) => kind === frame.hello)?.body ?? new Uint8Array(4), 2)
  const socket = createSocket('udp4')
  const id = '20:aaaaaaaaaaaaaaaaaaaa'
  const packets = [
    `d1:ad2:id${id}9:info_hash20:bbbbbbbbbbbbbbbbbbbb4:porti1e5:tokeni1ee1:q13:announce_peer1:t2:aa1:y1:qe`,
    `d1:ad2:id${id}9:info_hashi1ee1:q9:get_peers1:t2:aa1:y1:qe`,
    `d1:ad2:id${id}6:targeti1ee1:q9:find_node1:t2:aa1:y1:qe`,
    `d1:ad2:id${id}5:tokeni1e1:v1:xe1:q3:put1:t2:aa1:y1:qe`,
    `d1:ad2:id${id}6:targeti1ee1:q3:get1:t2:aa1:y1:qe`,
    `d1:ai1e1:q4:ping1:t2:aa1:y1:qe`,
    `d1:rd2:idi1e5:nodesi1e6:valuesi1ee1:t2:aa1:y1:re`,
    `d1:el1:xe1:t2:aa1:y1:ee`,
    `d1:t0:1:y1:re`,
    'le',
    'i1e',
    '',
    'd',
    'l'.repeat(3_000),
    '\u00ff'.repeat(2_000)
  ]
  const send = async (packet: string): Promise<void> =>
    await new Promise<void>((resolve) => socket.send(ascii(packet), dhtPort, '127.0.0.1', () => resolve()))
  for (let round = 0; round < 3; round++) for (const packet of packets) await send(packet)
  // After all that it still answers a right one.
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(90_000) })
  await send(`d1:ad2:id${id}e1:q4:ping1:t2:zz1:y1:qe`)
  for (let got = (await answered)[0] as Buffer; !got.includes('2:zz');)
    [got] = (await once(socket, 'message', { signal: AbortSignal.timeout(90_000) })) as [Buffer]
  socket.close()
  await stillWorks()
})

it('hangs up on frames that claim more than their kind may have, and on empty ones', async () => {
  const wild: [length: number, kind: number][] = [
    [0x7f_ff_ff_ff, frame.message],
    [2_000_000, frame.message],
    [65_538, 200],
    [3, frame.keepAlive],
    [100_000, frame.have],
    [20_000, frame.chunk],
    [1_000, frame.ask],
    [0, 0]
  ]
  for (const [length, kind] of wild) {
    const each = await stranger()
    each.socket.write(concatBytes(uint32(length), Uint8Array.of(kind)))
    await hangsUp(each)
  }
  await stillWorks()
})

it('hangs up on anything but a handshake, and on a half of one', async () => {
  const hello = encodeHandshake({ infoHash: linkKey, peerId: new Uint8Array(20) })
  for (const bytes of [
    ascii('GET / HTTP/1.1\r\n\r\n'),
    ascii('\u0013BitTorrent protocoX'.padEnd(68)),
    randomBytes(4_000),
    concatBytes(hello, randomBytes(4_000)),
    concatBytes(hello, ascii('GET / HTTP/1.1\r\n\r\n')),
    // As a client of BitTorrent goes on.
    concatBytes(hello, uint32(6), Uint8Array.of(20, 0), bencode({ m: {} }))
  ]) {
    const socket = await raw()
    socket.write(bytes)
    await hangsUp(socket)
  }
  const half = await raw()
  half.write(hello.subarray(0, 9))
  await hangsUp(half)
  await stillWorks()
})

it('counts malformed frames, and hangs up on a peer that sends many', async () => {
  const topic = topicKey('hostile')
  const heard: string[] = []
  await victim.messages.subscribe(
    'hostile',
    hears((text) => void heard.push(text))
  )
  const broken = [
    Uint8Array.of(frame.message),
    concatBytes(Uint8Array.of(frame.message), topic, new Uint8Array(10)),
    concatBytes(Uint8Array.of(frame.topics), new Uint8Array(22)),
    concatBytes(Uint8Array.of(frame.have), topic, new Uint8Array(17)),
    concatBytes(Uint8Array.of(frame.want), topic, new Uint8Array(3)),
    concatBytes(Uint8Array.of(frame.introduce), topic, Uint8Array.of(255, 1)),
    Uint8Array.of(frame.ask, 1),
    Uint8Array.of(frame.offer, 1, 2),
    Uint8Array.of(frame.chunk),
    Uint8Array.of(frame.fetch),
    Uint8Array.of(frame.provides, 0),
    Uint8Array.of(frame.torrent)
  ]
  for (const bytes of broken) {
    const each = await stranger()
    each.send(frame.topics, Uint8Array.of(1), topic)
    for (let i = 0; i < 12; i++) each.send(bytes[0] ?? 0, bytes.subarray(1))
    await hangsUp(each)
    // It has lost its place: the same peer is not let in again.
    const again = openStranger(portOf(victim), { identity: each.identity })
    await expect(again.then(() => `let in after kind ${bytes[0]}`)).rejects.toThrow('hung up')
  }
  // Frames of kinds that a later version may know are passed over.
  const later = await stranger()
  for (let i = 0; i < 50; i++) later.send(200, Uint8Array.of(1, 2, 3))
  // Each was the only peer of the topic, so that the next one ends a gap.
  expect(heard.filter((text) => text !== 'gap: disconnected')).toEqual([])
  await stillWorks()
})

it('cuts off a peer that asks, announces or joins without end', async () => {
  const floods = [
    (): Uint8Array => frameBytes(frame.topics, Uint8Array.of(1), randomBytes(20)),
    (): Uint8Array => frameBytes(frame.provides, uint32(1), randomBytes(20)),
    (i: number): Uint8Array => frameBytes(frame.ask, uint32(i), Uint8Array.of(0x12, 0x20), randomBytes(32)),
    (): Uint8Array => frameBytes(frame.introduce, randomBytes(20)),
    (): Uint8Array => frameBytes(200, randomBytes(20)),
    (): Uint8Array => frameBytes(frame.chunk, uint32(1), uint32(10), uint32(0), randomBytes(10))
  ]
  for (const flood of floods) {
    const each = await stranger()
    const { socket } = each
    const closed = once(socket, 'close')
    let sent = 0
    for (; !socket.destroyed && socket.writable && sent < 200_000; sent += 500) {
      const first = sent
      const batch = concatBytes(...Array.from({ length: 500 }, (_, i) => flood(first + i)))
      if (socket.write(batch)) continue
      const drained = new AbortController()
      await Promise.race([once(socket, 'drain', { signal: drained.signal }), closed]).catch(() => {})
      drained.abort()
    }
    await hangsUp(each)
    expect(sent).toBeLessThan(200_000)
  }
  await stillWorks()
})

it('does not keep blocks that do not hash to what was asked for, and takes them from another', async () => {
  const bytes = seededBytes(50_000, 99)
  const digest = createHash('sha256').update(bytes).digest()
  const cid = CID.decode(concatBytes(Uint8Array.of(1, 0x55, 0x12, 0x20), digest))
  const liar = await stranger()
  // It offers whatever is asked for, in the victim's own numbering, and sends zeros.
  for (let id = 1; id < 50; id++) liar.send(frame.offer, uint32(id), uint32(bytes.byteLength))
  const getting = victim.blocks.get(cid, { signal: AbortSignal.timeout(90_000) })
  getting?.catch(() => {})
  const feed = setInterval(() => {
    if (liar.closed) return
    for (let id = 1; id < 50; id++) {
      liar.send(frame.offer, uint32(id), uint32(16_384))
      liar.send(frame.chunk, uint32(id), uint32(16_384), uint32(0), new Uint8Array(16_384))
    }
  }, 20)
  await hangsUp(liar)
  clearInterval(feed)
  expect(await victim.blocks.has(cid)).toBe(false)
  await friend.blocks.putMany([{ cid, bytes }])
  expect(Buffer.compare((await getting) ?? new Uint8Array(), bytes)).toBe(0)
})

it('bears more connections than it allows', async () => {
  const small = bittorrent({ maxConnections: 8 })
  await small.start()
  const open = await Promise.all(Array.from({ length: 30 }, () => rawSocket(portOf(small))))
  sockets.push(...open)
  for (const socket of open) socket.resume()
  await until('the surplus has made room', () => open.filter((socket) => socket.closed).length >= 22)
  // The rest says nothing, and makes room for a peer that does.
  await friend.routing.connect(selfOf(small), { signal: AbortSignal.timeout(90_000) })
  expect((await small.routing.connections())?.map(({ id }) => id)).toEqual([selfOf(friend).id])
  await small.stop()
})
