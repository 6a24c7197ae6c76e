import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import Wire from 'bittorrent-protocol'
import { expect, it } from 'vitest'
import type WebTorrent from 'webtorrent'
import { chunkStore } from '../../src/torrent/swarm/chunk-store.ts'
import { fence } from '../../src/torrent/swarm/fence.ts'
import {
  clientMembers,
  metadataMembers,
  needMembers,
  torrentMembers,
  wireMembers
} from '../../src/torrent/swarm/members.ts'
import { TorrentClient } from '../../src/torrent/swarm/torrent-client.ts'

it('the carried WebTorrent has every private member that is used', async () => {
  const own = new TorrentClient(new Uint8Array(20).fill(1), 10)
  const client = await own.open()
  const options = {
    announce: [],
    urlList: [],
    deselect: true,
    skipVerify: false,
    storeCacheSlots: 0,
    store: chunkStore({ read: () => Promise.reject(new Error('empty')), write: () => Promise.resolve() }, () => 0)
  }
  const torrent = client.add('11'.repeat(20), options)
  await new Promise<void>((resolve) => torrent.once('infoHash', () => resolve()))
  const wire = await wireOf(torrent)
  needMembers(client, clientMembers)
  needMembers(torrent, torrentMembers)
  needMembers(wire, wireMembers)
  needMembers(wire.ut_metadata, metadataMembers)
  expect(torrent).toHaveProperty('_startupBitfield')
  expect(wire.ut_metadata).toMatchObject({ _fetching: true, _metadataComplete: false })
  await own.stop()
})

/** A wire of the torrent, as it is when the library says that there is one. */
async function wireOf(torrent: ReturnType<WebTorrent['add']>): Promise<Wire> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write(
      Buffer.concat([
        Buffer.from('\u0013BitTorrent protocol\0\0\0\0\0\u0010\0\u0001', 'latin1'),
        Buffer.alloc(20, 0x11),
        Buffer.alloc(20, 2)
      ])
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const opened = new Promise<Wire>((resolve) => torrent.on('wire', resolve))
  torrent.addPeer(Object.assign(socket, { id: 'one', connected: true }))
  const wire = await opened
  server.close()
  return wire
}

it('refuses to go on without one of them', () => {
  const wire = new Wire() as Wire & { ut_metadata: unknown }
  const attempt = (): void => fence({ wire, socket: {} as Socket, info: () => undefined, accepts: () => true })
  // No extension for metadata.
  expect(attempt).toThrow(expect.objectContaining({ code: 'ENGINE', message: expect.stringContaining('ut_metadata') }))
  for (const name of Object.keys(wireMembers)) {
    const without = Object.assign(Object.create(wire) as Wire, { ut_metadata: {}, [name]: undefined })
    expect(() => needMembers(without, wireMembers), name).toThrow(expect.objectContaining({ code: 'ENGINE' }))
  }
})
