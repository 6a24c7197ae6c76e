import { createServer } from 'node:net'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { freePort, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../src/index.ts'
import { selfOf } from './support.ts'

const root = temporaryFolder('p2pl-bittorrent-lifecycle-')
const made = new Set<BittorrentBackend>()

function make(options?: BittorrentOptions): BittorrentBackend {
  const backend = bittorrent(options)
  made.add(backend)
  return backend
}

afterEach(async () => {
  await Promise.all([...made].map(async (backend) => await backend.stop()))
  made.clear()
})

it('a folder in use and a port in use are LOCKED, and the start may be tried again', async () => {
  const dir = join(root, 'locked')
  const [one, two] = [make({ dir }), make({ dir })]
  await one.start()
  await expect(two.start()).rejects.toMatchObject({ code: 'LOCKED', operation: 'start', backend: 'bittorrent' })
  const { id } = selfOf(one)
  await one.stop()
  await two.start()
  expect(selfOf(two).id).toBe(id)

  const squatter = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve))
  const three = make({ port })
  await expect(three.start()).rejects.toMatchObject({ code: 'LOCKED' })
  await new Promise((resolve) => squatter.close(resolve))
  await three.start()
  expect(selfOf(three).addresses).toEqual([`127.0.0.1:${port}`])
})

it('a connection that was asked for comes back when the other peer does', async () => {
  const dir = join(root, 'returns')
  const port = await freePort()
  const [one, two] = [make(), make({ dir, port })]
  await using peer = await createPeer({ backend: one })
  await two.start()
  const self = selfOf(two)
  await peer.network.connect(self)
  const linked = async (): Promise<boolean> => (await peer.network.connections()).some(({ id }) => id === self.id)
  await two.stop()
  await until('the loss is seen', async () => !(await linked()))
  const again = make({ dir, port })
  await again.start()
  expect(selfOf(again).id).toBe(self.id)
  await until('it is connected again', linked)
  await peer.network.disconnect(self.id)
  await until('it is not', async () => !(await linked()))
})

it('peers that are given by address need no id, and may start later', async () => {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const [one, two] = [make({ peers: [address] }), make({ port })]
  await using peer = await createPeer({ backend: one })
  expect(one.routing.bootstrap).toEqual([{ network: 'bittorrent', id: address, addresses: [address] }])
  await two.start()
  const linked = async (): Promise<boolean> =>
    (await peer.network.connections()).some(({ id }) => id === selfOf(two).id)
  await until('they are connected', linked)
  await one.routing.disconnect(address)
  await until('they are not', async () => !(await linked()))
})

it('reads peers as addresses, with or without the id', async () => {
  const [one, two] = [make(), make()]
  await one.start()
  await two.start()
  const { id, addresses } = selfOf(two)
  const [address = ''] = addresses
  expect(one.routing.parseAddress(`${id}@${address}`)).toEqual({ network: 'bittorrent', id, addresses })
  for (const text of ['', 'localhost', `${id}@`, `${id}@nowhere`, `x@${address}`, '/ip4/127.0.0.1/tcp/1'])
    expect(one.routing.parseAddress(text)).toBeUndefined()
  const wrong = one.routing.parseAddress(`${'0'.repeat(40)}@${address}`)
  if (wrong !== undefined) await expect(one.routing.connect(wrong)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  const named = one.routing.parseAddress(address)
  if (named !== undefined) await one.routing.connect(named)
  expect((await one.routing.connections()).map((peer) => peer.id)).toEqual([id])
})

it('a peer that dials itself, or another peer than meant, is told so', async () => {
  const [one, two] = [make(), make()]
  await one.start()
  await two.start()
  const { addresses } = selfOf(two)
  const wrong = { network: 'bittorrent', id: '0'.repeat(40), addresses }
  await expect(one.routing.connect(wrong)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(one.routing.connect(selfOf(one))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const masked = { ...selfOf(one), id: '0'.repeat(40) }
  await expect(one.routing.connect(masked)).rejects.toMatchObject({ code: 'UNREACHABLE' })
})

// Other systems have one loopback address only.
it.runIf(process.platform === 'linux')(
  'tells others the address that leads to it, not the one that they happen to see',
  async () => {
    const [one, two, three] = [make(), make({ host: '127.0.0.2' }), make({ announce: ['127.0.0.1:7'] })]
    for (const each of [one, two, three]) await each.start()
    await two.routing.connect(selfOf(one))
    await three.routing.connect(selfOf(one))
    const seen = await one.routing.connections()
    const addressesOf = (of: BittorrentBackend): readonly string[] | undefined =>
      seen.find(({ id }) => id === selfOf(of).id)?.addresses
    expect(addressesOf(two)).toEqual(selfOf(two).addresses)
    expect(addressesOf(three)).toEqual(['127.0.0.1:7'])
  }
)
