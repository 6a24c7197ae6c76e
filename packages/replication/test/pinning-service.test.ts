import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPeer, isP2plError, type P2plError, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openReplication, pinningService } from '../src/index.ts'
import { type PinningServer, startPinningServer } from './support/pinning-server.ts'

let ann: Peer
let host: Peer
let server: PinningServer
const { signal } = new AbortController()

beforeEach(async () => {
  const network = createMemoryNetwork()
  ann = await createPeer({ backend: memory({ network }) })
  host = await createPeer({ backend: memory({ network }) })
  server = await startPinningServer(host)
})

afterEach(async () => {
  await server.close()
  await Promise.all([ann.stop(), host.stop()])
})

async function errorOf(work: Promise<unknown>): Promise<P2plError> {
  return await work.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => (isP2plError(error) ? error : expect.fail(String(error)))
  )
}

describe('a pinning service', () => {
  const open = (): ReturnType<typeof pinningService> =>
    pinningService({ endpoint: server.endpoint, accessToken: server.accessToken, pollEvery: 10 })

  it('counts as a copy, is found again, and is told when it need not keep it', async () => {
    const { cid } = await ann.data.add('for the service')
    const service = open()
    await using replication = openReplication({ peer: ann, services: [service] })
    replication.keep(cid, { min: 1, max: 1 })
    await until('it has it', () => replication.status(cid)?.missing === 0)
    expect(replication.status(cid)?.copies).toMatchObject([{ by: service.name, kind: 'service' }])
    expect(await host.data.has(cid)).toBe(true)
    expect([...server.pins.values()]).toMatchObject([{ pin: { cid: cid.toString(), name: 'p2pl' }, status: 'pinned' }])

    const posts = (): number => server.log.filter((line) => line.startsWith('POST')).length
    await using again = openReplication({ peer: ann, services: [open()] })
    again.keep(cid, { min: 1, max: 1 })
    await until('it is found', () => again.status(cid)?.missing === 0)
    expect(posts()).toBe(1)
    await again.release(cid)
    expect(server.pins.size).toBe(0)
  })

  it('that is down or refuses is an error of the status, and is asked again', async () => {
    const { cid } = await ann.data.add('x')
    await using replication = openReplication({ peer: ann, services: [open()] })
    // It is asked whether it has the content, and then to keep it.
    for (let i = 0; i < 2; i++) server.failures.push({ code: 500, reason: 'INTERNAL' })
    replication.keep(cid, { min: 1 })
    await until('it has failed', () => replication.status(cid)?.why === 'failed')
    expect(replication.status(cid)?.error).toMatchObject({ code: 'UNREACHABLE' })
    expect(replication.status(cid)?.error?.message).toContain('500')
  })

  it('answers by codes of the specification, which become typed errors', async () => {
    const { cid } = await ann.data.add('y')
    const codes = [
      [400, 'PROTOCOL'],
      [401, 'UNAUTHORIZED'],
      [404, 'NOT_FOUND'],
      [409, 'STORAGE'],
      [429, 'OVERLOADED'],
      [503, 'UNREACHABLE']
    ] as const
    for (const [code, expected] of codes) {
      server.failures.push({ code, reason: 'REASON', body: 'and why' })
      const error = await errorOf(open().has(cid, { signal }))
      expect(error).toMatchObject({ code: expected })
      expect(error.message).toContain('REASON: and why')
    }
    const wrong = pinningService({ endpoint: server.endpoint, accessToken: 'wrong-token', pollEvery: 10 })
    const error = await errorOf(wrong.keep(cid, { providers: ann.network.self(), signal }))
    expect(error).toMatchObject({ code: 'UNAUTHORIZED' })
    expect(error.message).not.toContain('wrong-token')
  })

  it('that cannot get the content says so', async () => {
    const { cid } = await ann.data.add('gone')
    await ann.data.unpin(cid)
    await ann.blocks.delete(cid)
    host.data.pin = async () => await Promise.reject(new Error('nobody has it'))
    const error = await errorOf(open().keep(cid, { providers: ann.network.self(), signal }))
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.message).toContain('no provider answered')
  })

  it('ends with the signal, and with its own timeout', async () => {
    const { cid } = await ann.data.add('z')
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const late = pinningService({ endpoint, accessToken: 't', timeout: 50 })
    expect(await errorOf(late.has(cid, { signal }))).toMatchObject({ code: 'TIMEOUT' })
    const reason = new Error('enough')
    await expect(open().has(cid, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
    const patient = pinningService({ endpoint, accessToken: 't' })
    expect(await errorOf(patient.has(cid, { signal }))).toMatchObject({ code: 'UNREACHABLE' })
  })

  it('is believed in nothing that is not its protocol', async () => {
    const { cid } = await ann.data.add('w')
    const bodies = [
      '',
      'null',
      '[]',
      '{"results":5}',
      '{"results":[{}]}',
      '{"results":[{"requestid":"1","status":"fine"}]}',
      'x'.repeat(2_000_000)
    ]
    let body = ''
    const odd = createServer((_request, response) => response.end(body))
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
    const service = pinningService({
      endpoint: `http://127.0.0.1:${(odd.address() as AddressInfo).port}`,
      accessToken: 't'
    })
    for (body of bodies) expect(['PROTOCOL', 'TOO_LARGE']).toContain((await errorOf(service.has(cid, { signal }))).code)
    odd.closeAllConnections()
    await new Promise((resolve) => odd.close(resolve))
  })

  it('gets its token by https only, and never along a redirect', async () => {
    for (const endpoint of ['http://pins.example/api', 'ftp://x', 'nothing', 'https://user:word@pins.example/']) {
      expect(() => pinningService({ endpoint, accessToken: 't' })).toThrow('endpoint must be an https address')
    }
    for (const accessToken of ['', 'two words', undefined as never]) {
      expect(() => pinningService({ endpoint: server.endpoint, accessToken })).toThrow('accessToken')
    }
    const { cid } = await ann.data.add('v')
    const moved = createServer((_request, response) => response.writeHead(302, { location: server.endpoint }).end())
    await new Promise<void>((resolve) => moved.listen(0, '127.0.0.1', resolve))
    const service = pinningService({
      endpoint: `http://127.0.0.1:${(moved.address() as AddressInfo).port}`,
      accessToken: server.accessToken
    })
    expect(await errorOf(service.has(cid, { signal }))).toMatchObject({ code: 'UNREACHABLE' })
    expect(server.log).toEqual([])
    moved.closeAllConnections()
    await new Promise((resolve) => moved.close(resolve))
  })
})
