import { connect as connectPlain, createServer as createPlain, type Socket } from 'node:net'
import { connect, createServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, test } from 'vitest'
import { laneMaker } from '#runtime/lanes'
import { Channel } from '../src/engine/bulk/channel.ts'
import { entriesFrame, frameOf, Kind } from '../src/engine/bulk/frames.ts'
import { LaneDoor } from '../src/engine/bulk/lane-door.ts'
import { Lanes } from '../src/engine/bulk/lanes.ts'
import { SocketPipe } from '../src/engine/bulk/socket-pipe.ts'
import { puppet, servingOf, silent, Store } from './bulk.ts'
import type { LaneSocket } from '../src/engine/bulk/lane.ts'
import { engineOf, getAll, introduced, manyBlocks, type Node, pair, selfOf, started } from './helper.ts'

const host = '127.0.0.1'
/** A certificate that the test makes everybody trust: made for this test by `openssl req -x509`. */
const certificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIrBQHobOh4h2S6Zl
5DcNl56V2n0eRBZQlwpO02O/vgShRANCAASPph340UmToihre5f4IQ89WG0FvHyh
/5iK+yh/xNpLA+Q6yzAs+6Vk5JAvAKjEzmstH6ttTIUGsp7zTXALOwCC
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUUjqCTc49i2ZeoLRtKS9epuS/lkAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyOTIzMzAyMFoYDzIxMjYxMTA1
MjMzMDIwWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASPph340UmToihre5f4IQ89WG0FvHyh/5iK+yh/xNpLA+Q6yzAs+6Vk
5JAvAKjEzmstH6ttTIUGsp7zTXALOwCCo2QwYjAdBgNVHQ4EFgQUtLyAVECyxmh6
EQoproBa+xaU9ZgwHwYDVR0jBBgwFoAUtLyAVECyxmh6EQoproBa+xaU9ZgwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IQC5XRhB86lB1+nAOq3bGOuFR1TT+xa3F1+OdOepkyfWWQIgCtKLdbB+cHHO9K1u
BTPR1PWzIyVlNzeuul14kxVnOJU=
-----END CERTIFICATE-----
`
}

function lanesOf(...nodes: Node[]): number[] {
  return nodes.map((node) => engineOf(node).exchange.bulk.door.size)
}

const toClose: { close(): unknown }[] = []
afterEach(() => {
  for (const one of toClose.splice(0)) one.close()
})

/** A peer that offers lanes, and what came by them. */
function offering(): { lanes: Lanes; accepted: string[] } {
  const accepted: string[] = []
  const lanes = new Lanes(host, (peer, socket) => {
    accepted.push(peer)
    socket.on('data', (chunk) => void socket.write(chunk))
  })
  toClose.push(lanes)
  return { lanes, accepted }
}

/** A peer that serves by its lanes. */
function serving(store: Store): { lanes: Lanes; channels: Channel[] } {
  const made: Channel[] = []
  const lanes = new Lanes(host, (peer, socket) => {
    made.push(new Channel(peer, (events) => new SocketPipe(socket, events), servingOf(store), silent))
  })
  toClose.push(lanes)
  return { lanes, channels: made }
}

function portOf(offer: Uint8Array): number {
  return ((offer[0] as number) << 8) | (offer[1] as number)
}

async function echo(socket: LaneSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('data', (chunk) => resolve(new TextDecoder().decode(chunk)))
  socket.write(new TextEncoder().encode('hello'))
  return await promise
}

describe('between two nodes', () => {
  test('a lane is opened by much content, serves both directions, and ends with the connection', async () => {
    const [a, b] = await pair()
    await introduced(b, a)
    const blocks = await manyBlocks(8, 500_000)
    await a.blocks.putMany(blocks)
    await getAll(b, blocks)
    await until('a lane', () => lanesOf(a, b).every((count) => count === 1))
    const [there, back] = [await manyBlocks(40, 300_000, 100), await manyBlocks(40, 300_000, 200)]
    await a.blocks.putMany(there)
    await b.blocks.putMany(back)
    await Promise.all([getAll(b, there), getAll(a, back)])
    expect(lanesOf(a, b)).toEqual([1, 1])
    await b.routing.disconnect?.(selfOf(a).id)
    await Promise.all(
      engineOf(b)
        .libp2p.getConnections()
        .map((connection) => connection.close())
    )
    await until('no lane is left', () => lanesOf(a, b).every((count) => count === 0))
  })

  test('little content opens none', async () => {
    const [a, b] = await pair()
    await introduced(b, a)
    const blocks = await manyBlocks(10, 1_000)
    await a.blocks.putMany(blocks)
    await getAll(b, blocks)
    expect(lanesOf(a, b)).toEqual([0, 0])
  })

  test('a lane that breaks in the middle is replaced by the stream', async () => {
    const [a, b] = await pair()
    await introduced(b, a)
    const first = await manyBlocks(4, 500_000)
    await a.blocks.putMany(first)
    await getAll(b, first)
    await until('a lane', () => lanesOf(a, b).every((count) => count === 1))
    const blocks = await manyBlocks(60, 500_000, 100)
    await a.blocks.putMany(blocks)
    const getting = getAll(b, blocks)
    engineOf(a).exchange.bulk.door.leave(selfOf(b).id)
    await getting
  })

  test.each([
    ['in a private network', { psk: new Uint8Array(32).fill(7) }, {}],
    ['from a peer that nobody can reach', {}, { listen: [] }]
  ])('%s the stream carries all', async (_, both, server) => {
    const a = await started({ ...both, ...server })
    const b = await started(both)
    await a.routing.connect(selfOf(b))
    await introduced(b, a)
    const blocks = await manyBlocks(8, 500_000)
    await a.blocks.putMany(blocks)
    await getAll(b, blocks)
    await getAll(
      b,
      await (async () => {
        const more = await manyBlocks(8, 500_000, 100)
        await a.blocks.putMany(more)
        return more
      })()
    )
    expect(lanesOf(a, b)).toEqual([0, 0])
  })
})

test('a stream that is being closed is not used to ask for one', () => {
  const id = '12D3KooWDTVwmHWQrkT7yLe4B6Ht42fNXFe3sD3qEErBjZk4CwVj'
  const connection = { remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'), limits: undefined }
  const libp2p = { getConnections: () => [connection] } as unknown as Libp2p
  const rules = { listen: [], isPrivate: false, allowsDial: () => true }
  const door = new LaneDoor(libp2p, rules, () => {
    throw new Error('none is opened')
  })
  const [closing, next] = [puppet(new Store([])), puppet(new Store([]))]
  closing.pipe.open = false
  // Bytes that the peer sent before still arrive.
  door.received(id, closing.channel, 2 ** 20)
  door.received(id, next.channel, 2 ** 20)
  expect(next.far.under + next.pipe.under).toBeGreaterThan(0)
})

describe('a lane', () => {
  test('is open only to a peer that has the offer, and only once', async () => {
    const { lanes, accepted } = offering()
    const offer = await lanes.offer('peer')
    const socket = await lanes.take(host, offer)
    expect(await echo(socket)).toBe('hello')
    socket.destroy()
    await expect(lanes.take(host, offer)).rejects.toThrow()
    const next = await lanes.offer('peer')
    const forged = new Uint8Array(next)
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
    await expect(lanes.take(host, forged)).rejects.toThrow()
    const guessed = new Uint8Array(next)
    guessed[2] = (guessed[2] as number) ^ 1
    await expect(lanes.take(host, guessed)).rejects.toThrow()
    expect(accepted).toEqual(['peer'])
    // The right one still works.
    expect(await echo(await lanes.take(host, next))).toBe('hello')
  })

  test('has TLS 1.3 with keys that are agreed anew', async () => {
    const { lanes } = offering()
    const socket = (await lanes.take(host, await lanes.offer('peer'))) as unknown as ReturnType<typeof connect>
    expect(socket.getProtocol()).toBe('TLSv1.3')
    expect(socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256')
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: expect.any(String) as string })
    socket.destroy()
  })

  test('is not opened to somebody who shows a certificate in place of the secret', async () => {
    const server = createServer({ ...certificate, minVersion: 'TLSv1.3' }, (socket) => void socket.write('hello'))
    server.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const trusted = getCACertificates('default')
    setDefaultCACertificates([certificate.cert])
    toClose.push(server, { close: () => setDefaultCACertificates(trusted) })
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    // Others would take it.
    const taken = connect({ host, port })
    await new Promise<void>((resolve) => taken.once('secureConnect', () => resolve()))
    taken.destroy()
    const offer = new Uint8Array(50).fill(1)
    offer.set([port >> 8, port & 0xff])
    await expect(new Lanes(host, () => undefined).take(host, offer)).rejects.toThrow()
  })

  test('is not opened without a ticket, by plain text, or without an end of the handshake', async () => {
    const { lanes, accepted } = offering()
    const port = portOf(await lanes.offer('peer'))
    for (const bytes of ['', 'GET / HTTP/1.0\r\n\r\n', '\x16\x03\x01\x02\x00\x01']) {
      const socket = connectPlain(port, host)
      socket.on('error', () => undefined)
      socket.write(bytes)
    }
    const stranger = connect({ host, port, minVersion: 'TLSv1.3', rejectUnauthorized: false })
    await new Promise<void>((resolve) => stranger.once('error', () => resolve()))
    expect(accepted).toEqual([])
  })

  test('opens beside a thousand sockets that never finish their handshake', async () => {
    const { lanes } = offering()
    const port = portOf(await lanes.offer('other'))
    const sockets: Socket[] = []
    let closed = 0
    for (let i = 0; i < 1_000; i++) {
      const socket = connectPlain(port, host)
      socket.on('error', () => undefined)
      socket.on('close', () => void closed++)
      sockets.push(socket)
    }
    await until('all but some are closed again', () => closed >= 900)
    expect(await echo(await lanes.take(host, await lanes.offer('peer')))).toBe('hello')
    for (const socket of sockets) socket.destroy()
  })

  test('is kept though many others are opened after it', async () => {
    const { lanes } = offering()
    const first = await lanes.take(host, await lanes.offer('first'))
    for (let i = 0; i < 80; i++) await lanes.take(host, await lanes.offer(`peer ${i}`))
    expect(await echo(first)).toBe('hello')
  })

  test('ends when frames come that break the protocol', async () => {
    const { lanes, channels } = serving(new Store([]))
    const socket = await lanes.take(host, await lanes.offer('peer'))
    socket.write(frameOf(Kind.missing, new Uint8Array(4)))
    await until('it is cut', () => socket.destroyed)
    expect(channels[0]?.open).toBe(false)
  })

  test('holds two portions for a reader that stands still, and what the system takes', async () => {
    const blocks = await manyBlocks(64, 1_048_576)
    const store = new Store(blocks)
    const { lanes, channels } = serving(store)
    const socket = (await lanes.take(host, await lanes.offer('peer'))) as unknown as ReturnType<typeof connect>
    socket.pause()
    socket.write(
      entriesFrame(
        Kind.want,
        blocks.map(({ cid }, id) => ({ id, multihash: cid.multihash.bytes }))
      )
    )
    let [before, unchanged] = [0, 0]
    await until('no more is read', () => {
      unchanged = store.reads > 0 && store.reads === before ? unchanged + 1 : 0
      before = store.reads
      return unchanged === 20
    })
    // Two buffers of the system hold some six MiB each.
    expect(store.reads).toBeLessThan(40)
    expect(channels[0]?.open).toBe(true)
    let bytes = 0
    socket.on('data', (chunk: Uint8Array) => (bytes += chunk.byteLength))
    socket.resume()
    await until('the rest', () => bytes >= 64 * 1_048_576)
    expect(store.reads).toBe(64)
  })

  test('that leads nowhere fails', async () => {
    const server = createPlain()
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await new Promise((resolve) => server.close(resolve))
    await expect(laneMaker?.dial({ host, port }, { ticket: '00', secret: new Uint8Array(32) })).rejects.toThrow()
  })
})
