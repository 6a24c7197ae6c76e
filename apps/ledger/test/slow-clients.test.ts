import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Api, startApi } from '../src/http/server.ts'
import type { Home } from '../src/node/home.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openNode } from '../src/run/open-node.ts'
import { makeHomes } from './support.ts'

const maxConnections = 64
const folder = temporaryFolder()
let node: LedgerNode
let api: Api
const sockets = new Set<Socket>()
const timers = new Set<NodeJS.Timeout>()

beforeAll(async () => {
  const [home] = await makeHomes(folder, ['one'])
  node = await openNode(home as Home, { backend: 'memory', env: {} })
  api = await startApi({ service: node, limits: { maxConnections, maxJsonMs: 300, maxContentMs: 300 } })
})
afterEach(() => {
  for (const timer of timers) clearInterval(timer)
  for (const socket of sockets) socket.destroy()
  timers.clear()
  sockets.clear()
})
afterAll(async () => {
  await api.close()
  await node.stop()
})

/** A client that sends a given text and then drips bytes. Returns what it reads, and whether it was disconnected. */
async function client(
  head: string,
  drip?: string
): Promise<{ socket: Socket; text: () => string; endDrip: () => void }> {
  const socket = connect(api.port, '127.0.0.1')
  sockets.add(socket)
  let text = ''
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.write(head)
  let timer: NodeJS.Timeout | undefined
  if (drip !== undefined) {
    timer = setInterval(() => {
      if (socket.writable) socket.write(drip)
    }, 20)
    timers.add(timer)
  }
  return { socket, text: () => text, endDrip: () => clearInterval(timer) }
}

async function statusOf(path = '/v1/status'): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: api.port, path, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const head = (method: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\n${more}`
const chunked = 'Transfer-Encoding: chunked\r\n\r\n'
const chunk = '1\r\nx\r\n'

describe('clients that take their time', () => {
  it.each([
    ['drip the body of a GET', () => client(head('GET', '/v1/status', chunked), chunk)],
    ['drip their head', () => client(head('GET', '/v1/status'), 'X: y\r\n')],
    ['say nothing', () => client('')],
    ['do not read', async () => await client(head('GET', '/v1/events', '\r\n'))]
  ])('do not close the API for others: %s', async (_, slow) => {
    for (let i = 0; i < maxConnections + 20; i++) await slow()
    for (let i = 0; i < 5; i++) expect(await statusOf()).toBe(200)
  })

  it('get no answer to a GET with a body but a refusal', async () => {
    for (const more of [chunked, 'Content-Length: 5\r\n\r\n']) {
      const { socket, text } = await client(head('GET', '/v1/status', more), chunk)
      await until('it is ended', () => socket.destroyed)
      expect(text()).toMatch(/^HTTP\/1\.1 400 /)
    }
    expect(await statusOf()).toBe(200)
  })

  it.each([
    ['a transfer', '/v1/transfers', 'application/json'],
    ['a document', '/v1/records?name=a', 'text/plain'],
    ['a CAR file', '/v1/import', 'application/vnd.ipld.car']
  ])('have so much time for the body of %s', async (_, path, type) => {
    const authorization = `Authorization: Bearer ${api.token}\r\nContent-Type: ${type}\r\n`
    const { socket, text } = await client(head('POST', path, `${authorization}${chunked}`), chunk)
    await until('it is ended', () => socket.destroyed)
    expect(text()).toMatch(/^HTTP\/1\.1 408 /)
    expect(text()).toContain('"code":"REQUEST_TIMEOUT"')
  })

  it('are ended when they send a request before the last one is answered, and none of the others is begun', async () => {
    const asked = vi.spyOn(node, 'status')
    const { socket } = await client(head('GET', '/v1/status', '\r\n').repeat(1_000))
    await until('it is ended', () => socket.destroyed)
    expect(asked.mock.calls.length).toBeLessThanOrEqual(1)
    asked.mockRestore()
    expect(await statusOf()).toBe(200)
  })

  it('take no place among the listeners to events when they leave before the answer', async () => {
    const answer = node.status.bind(node)
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const asked = vi.spyOn(node, 'status').mockImplementation(async () => {
      await gate
      return await answer()
    })
    // The most clients that may listen at once.
    const most = 16
    const all = await Promise.all(
      Array.from({ length: most }, async () => await client(head('GET', '/v1/events?traces=true', '\r\n')))
    )
    await until('all are being answered', () => asked.mock.calls.length === most)
    const closed = all.map(async ({ socket }) => await once(socket, 'close'))
    for (const { socket } of all) socket.destroy()
    await Promise.all(closed)
    // The server sees the disconnects in sequence, and this request after them.
    expect(await statusOf('/v1/balances')).toBe(200)
    go()
    asked.mockRestore()
    const { text } = await client(head('GET', '/v1/events?traces=true', '\r\n'))
    await until('it is answered', () => text().includes('\r\n\r\n'))
    expect(text()).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('go first where others have the token', async () => {
    await api.close()
    api = await startApi({ service: node, limits: { maxConnections } })
    const authorization = `Authorization: Bearer ${api.token}\r\nContent-Type: text/plain\r\n`
    const trusted = await client(head('POST', '/v1/records?name=a', `${authorization}${chunked}${chunk}`))
    for (let i = 0; i < maxConnections + 20; i++) await client(head('GET', '/v1/events', '\r\n'))
    expect(trusted.socket.destroyed).toBe(false)
    // A chunk after the last one would make the request invalid.
    trusted.endDrip()
    trusted.socket.write('0\r\n\r\n')
    await until('it is answered', () => trusted.text().startsWith('HTTP/1.1 201 '))
  })
})
