import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { IncomingMessage } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../src/index.ts'
import { concatBytes, uint32 } from '../src/bytes.ts'
import { frame } from '../src/engine/frames.ts'
import { linkKey, topicKey } from '../src/keys.ts'
import { bencode } from '../src/torrent/bencode.ts'
import { link } from './support.ts'

let victim: BittorrentBackend
let friend: BittorrentBackend
const crashes: unknown[] = []
const sockets: Socket[] = []
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
  await victim.blocks?.put({ cid, bytes })
  const got = await friend.blocks?.get(cid, { providers: [victim.self()], signal: AbortSignal.timeout(10_000) })
  expect(got?.byteLength).toBe(bytes.byteLength)
}

function portOf(backend: BittorrentBackend): number {
  return Number(backend.self().addresses[0]?.split(':')[1])
}

const protocol = Buffer.from('\u0013BitTorrent protocol', 'latin1')
const reserved = Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 1)

/** A wire message with its length in front. */
function message(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  return concatBytes(uint32(body.byteLength), body)
}

function extended(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return message(Uint8Array.of(20, id), ...parts)
}

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** A stranger that says hello and then whatever it likes. */
async function stranger(infoHash: Uint8Array = linkKey, extensionId = 7): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: portOf(victim) })
  sockets.push(socket)
  socket.on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  socket.write(concatBytes(protocol, reserved, infoHash, ascii('-XX0000-'), randomBytes(12)))
  const handshake = { m: { p2pl: extensionId, ut_metadata: 3 }, p: 1, v: ascii('stranger') }
  socket.write(extended(0, bencode(handshake)))
  return socket
}

/** The id under which the victim takes our frames: its first extension. */
const theirs = 1

async function hangsUp(socket: Socket): Promise<void> {
  await until('the victim hangs up', () => socket.closed, 10_000)
}

it('answers nothing to malformed packets of the DHT, and lives', async () => {
  const target = victim.self()
  const dhtPort = await new Promise<number>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: portOf(victim) })
    sockets.push(socket)
    socket.on('error', () => {})
    // The port comes in the clear, right after the extended handshake was exchanged.
    let seen = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      seen = Buffer.concat([seen, bytes])
      const at = seen.indexOf(Buffer.from([0, 0, 0, 3, 9]))
      if (at !== -1) resolve(seen.readUInt16BE(at + 5))
    })
    socket.write(concatBytes(protocol, reserved, linkKey, ascii('-XX0000-'), randomBytes(12)))
    socket.write(extended(0, bencode({ m: { p2pl: 7 }, p: 1 })))
  })
  expect(target.id).toHaveLength(40)
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
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
  await send(`d1:ad2:id${id}e1:q4:ping1:t2:zz1:y1:qe`)
  for (let got = (await answered)[0] as Buffer; !got.includes('2:zz');)
    [got] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  socket.close()
  await stillWorks()
})

it('hangs up on a message that claims two gigabytes', async () => {
  for (const infoHash of [linkKey]) {
    const socket = await stranger(infoHash)
    socket.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 20))
    await hangsUp(socket)
  }
  await stillWorks()
})

it('hangs up on what is no handshake, and on a half of one', async () => {
  for (const bytes of [
    ascii('GET / HTTP/1.1\r\n\r\n'),
    ascii('\u0013BitTorrent protocoX'.padEnd(68)),
    randomBytes(4_000)
  ]) {
    const socket = connect({ host: '127.0.0.1', port: portOf(victim) })
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
    socket.write(bytes)
    await hangsUp(socket)
  }
  const half = connect({ host: '127.0.0.1', port: portOf(victim) })
  sockets.push(half)
  half.on('error', () => {})
  half.resume()
  half.write(protocol.subarray(0, 9))
  await hangsUp(half)
  await stillWorks()
})

it('bears extended handshakes of every shape', async () => {
  const shapes = [
    'de',
    'le',
    'i1e',
    '4:spam',
    'd1:mi1ee',
    'd1:mle1:pi-1ee',
    'd1:md4:p2plleee',
    'd1:md4:p2pld1:xi1eeee',
    'd',
    '',
    'd1:md4:p2pli7ee1:pdee'
  ]
  for (const shape of shapes) {
    const socket = connect({ host: '127.0.0.1', port: portOf(victim) })
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
    socket.write(concatBytes(protocol, reserved, linkKey, ascii('-XX0000-'), randomBytes(12)))
    socket.write(extended(0, ascii(shape)))
    socket.write(extended(theirs, Uint8Array.of(frame.topics, 1)))
    socket.write(message(Uint8Array.of(5), new Uint8Array(60_000)))
    socket.write(message(Uint8Array.of(4), Uint8Array.of(0xff, 0xff, 0xff, 0xff)))
    socket.write(message(Uint8Array.of(6), uint32(1), uint32(2), uint32(3)))
    socket.write(message(Uint8Array.of(13), uint32(1)))
  }
  await stillWorks()
})

it('counts malformed frames, and hangs up on who sends many', async () => {
  const topic = topicKey('hostile')
  const heard: IncomingMessage[] = []
  await victim.messages?.subscribe('hostile', { message: (each) => void heard.push(each), gap: () => {} })
  const broken = [
    Uint8Array.of(frame.message),
    concatBytes(Uint8Array.of(frame.message), topic, new Uint8Array(10)),
    concatBytes(Uint8Array.of(frame.topics), new Uint8Array(22)),
    concatBytes(Uint8Array.of(frame.have), topic, new Uint8Array(17)),
    concatBytes(Uint8Array.of(frame.want), topic, new Uint8Array(3)),
    concatBytes(Uint8Array.of(frame.peers), topic, Uint8Array.of(255, 1)),
    Uint8Array.of(frame.ask, 1),
    Uint8Array.of(frame.offer, 1, 2),
    Uint8Array.of(frame.chunk),
    Uint8Array.of(frame.fetch),
    Uint8Array.of(frame.provides, 0),
    Uint8Array.of(frame.torrent)
  ]
  for (const bytes of broken) {
    const socket = await stranger()
    socket.write(extended(theirs, Uint8Array.of(frame.topics, 1), topic))
    for (let i = 0; i < 12; i++) socket.write(extended(theirs, bytes))
    await hangsUp(socket)
  }
  // Frames of kinds that a later version may know are passed over.
  const later = await stranger()
  later.write(concatBytes(...Array.from({ length: 50 }, () => extended(theirs, Uint8Array.of(200, 1, 2, 3)))))
  expect(heard).toEqual([])
  await stillWorks()
})

it('cuts off who asks, announces or joins without end', async () => {
  const floods = [
    (): Uint8Array => concatBytes(Uint8Array.of(frame.topics, 1), randomBytes(20)),
    (): Uint8Array => concatBytes(Uint8Array.of(frame.provides), uint32(1), randomBytes(20)),
    (i: number): Uint8Array =>
      concatBytes(Uint8Array.of(frame.ask), uint32(i), Uint8Array.of(0x12, 0x20), randomBytes(32)),
    (): Uint8Array => concatBytes(Uint8Array.of(frame.peers), randomBytes(20))
  ]
  for (const flood of floods) {
    const socket = await stranger()
    let sent = 0
    for (; !socket.destroyed && socket.writable && sent < 200_000; sent += 500) {
      const first = sent
      const batch = concatBytes(...Array.from({ length: 500 }, (_, i) => extended(theirs, flood(first + i))))
      if (!socket.write(batch)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
    }
    await hangsUp(socket)
    expect(sent).toBeLessThan(200_000)
  }
  await stillWorks()
}, 60_000)

it('does not keep blocks that do not hash to what was asked for, and takes them from another', async () => {
  const bytes = seededBytes(50_000, 99)
  const digest = createHash('sha256').update(bytes).digest()
  const cid = CID.decode(concatBytes(Uint8Array.of(1, 0x55, 0x12, 0x20), digest))
  const liar = await stranger()
  // It offers whatever is asked for, in the victim's own numbering, and sends zeros.
  for (let id = 1; id < 50; id++)
    liar.write(extended(theirs, Uint8Array.of(frame.offer), uint32(id), uint32(bytes.byteLength)))
  const getting = victim.blocks?.get(cid, { signal: AbortSignal.timeout(20_000) })
  getting?.catch(() => {})
  const feed = setInterval(() => {
    if (!liar.writable) return
    for (let id = 1; id < 50; id++) {
      liar.write(extended(theirs, Uint8Array.of(frame.offer), uint32(id), uint32(16_384)))
      liar.write(
        extended(theirs, Uint8Array.of(frame.chunk), uint32(id), uint32(16_384), uint32(0), new Uint8Array(16_384))
      )
    }
  }, 20)
  await hangsUp(liar)
  clearInterval(feed)
  expect(await victim.blocks?.has(cid)).toBe(false)
  await friend.blocks?.put({ cid, bytes })
  expect(Buffer.compare((await getting) ?? new Uint8Array(), bytes)).toBe(0)
})

it('bears empty and wild messages for the metadata of a torrent', async () => {
  const bytes = seededBytes(1_500_000, 5)
  const { FileWriter } = await import('../src/torrent/layout.ts')
  const writer = new FileWriter(async (block) => await victim.blocks?.put(block))
  await writer.add(bytes.subarray(0, 1_048_576))
  await writer.add(bytes.subarray(1_048_576))
  const magnet = await victim.magnet(await writer.finish())
  const infoHash = new Uint8Array(Buffer.from(/btih:([0-9a-f]{40})/.exec(magnet)?.[1] ?? '', 'hex'))
  const wild = [
    '',
    'd',
    'i1e',
    'd8:msg_typei0e5:piecei999999999ee',
    'd8:msg_typei0e5:piecei-1ee',
    'd8:msg_typei1e5:piecei0ee',
    'd8:msg_type3:abc5:piecele'
  ]
  // ut_metadata is the second extension of an incoming wire.
  for (const text of wild) (await stranger(infoHash)).write(extended(2, ascii(text)))
  for (const [index, offset, length] of [
    [9, 0, 16_384],
    [0, 0, 0x7f_ff_ff_ff],
    [0xff_ff_ff_ff, 0, 1],
    [1, 1_048_575, 16_384]
  ] as const) {
    const socket = await stranger(infoHash)
    socket.write(message(Uint8Array.of(2)))
    socket.write(message(Uint8Array.of(6), uint32(index), uint32(offset), uint32(length)))
    await hangsUp(socket)
  }
  const again = await friend.importTorrent(magnet, { signal: AbortSignal.timeout(20_000) })
  expect(again.size).toBe(bytes.byteLength)
})

it('bears more connections than it allows', async () => {
  const small = bittorrent({ maxConnections: 8 })
  await small.start()
  const open = Array.from({ length: 30 }, () => {
    const socket = connect({ host: '127.0.0.1', port: portOf(small) })
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
    return socket
  })
  await until('the surplus is refused', () => open.filter((socket) => socket.closed).length >= 22)
  for (const socket of open) socket.destroy()
  await until('there is room again', async () => {
    try {
      await friend.routing?.connect(small.self(), { signal: AbortSignal.timeout(2_000) })
      return true
    } catch {
      return false
    }
  })
  await small.stop()
})
