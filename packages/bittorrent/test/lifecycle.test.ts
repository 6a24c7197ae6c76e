import { createServer } from 'node:net'
import { join } from 'node:path'
import type { BackendEvent } from '@p2pl/core/backend'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend, type BittorrentOptions } from '../src/index.ts'

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
  const { id } = one.self()
  await one.stop()
  await two.start()
  expect(two.self().id).toBe(id)

  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
  const { port } = squatter.address() as { port: number }
  const three = make({ port })
  await expect(three.start()).rejects.toMatchObject({ code: 'LOCKED' })
  await new Promise((resolve) => squatter.close(resolve))
  await three.start()
  expect(three.self().addresses).toEqual([`127.0.0.1:${port}`])
})

it('a connection that was asked for comes back when the other does', async () => {
  const events: BackendEvent[] = []
  const dir = join(root, 'returns')
  const one = make()
  const two = make({ dir })
  await one.start({ onEvent: (event) => void events.push(event) })
  await two.start()
  const { id, addresses } = two.self()
  await one.routing?.connect(two.self())
  const port = Number(addresses[0]?.split(':')[1])
  await two.stop()
  await until('the loss is reported', () => events.some(({ type }) => type === 'peer:disconnect'))
  const again = make({ dir, port })
  await again.start()
  expect(again.self().id).toBe(id)
  const linked = async (): Promise<boolean> =>
    (await one.routing?.connections())?.some((peer) => peer.id === id) === true
  await until('it is connected again', linked)
  await one.routing?.disconnect(id)
  await until('it is not', async () => !(await linked()))
})

it('given peers need no id, and may start later', async () => {
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
  const { port } = squatter.address() as { port: number }
  await new Promise((resolve) => squatter.close(resolve))
  const one = make({ peers: [`127.0.0.1:${port}`] })
  await one.start()
  const two = make({ port })
  await two.start()
  await until('they are connected', async () => (await one.routing?.connections())?.[0]?.id === two.self().id)
})

it('who dials itself, or somebody else than meant, is told so', async () => {
  const [one, two] = [make(), make()]
  await one.start()
  await two.start()
  const { addresses } = two.self()
  const wrong = { id: '0'.repeat(40), addresses }
  await expect(one.routing?.connect(wrong)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(one.routing?.connect(one.self())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const masked = { id: '0'.repeat(40), addresses: one.self().addresses }
  await expect(one.routing?.connect(masked)).rejects.toMatchObject({ code: 'UNREACHABLE' })
})
