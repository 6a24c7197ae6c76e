import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { createBackends, loadConfig } from '@p2pl/config'
import { createPeer } from '@p2pl/core'
import { openView } from '@p2pl/sync'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventStreams } from '../src/http/event-stream.ts'
import { type Api, startApi } from '../src/http/server.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openNode } from '../src/run/open-node.ts'
import { maxParents, maxPayloadBytes } from '../src/rules/limits.ts'
import { encodePayload } from '../src/rules/payload.ts'
import { RemoteLedger } from '../src/service/remote.ts'
import type { Home } from '../src/node/home.ts'
import { accountIds, makeHomes } from './support.ts'

let node: LedgerNode
let api: Api
let bob = ''
let home: Home | undefined
const folder = temporaryFolder()

beforeAll(async () => {
  ;[home] = await makeHomes(folder, ['one'])
  node = await openNode(home as Home, { backend: 'memory', env: {} })
  api = await startApi({ service: node, limits: { maxContentBytes: 100_000 } })
  ;[bob = ''] = await accountIds(1)
})

afterAll(async () => {
  await api.close()
  await node.stop()
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array; token?: boolean } = {}
): Promise<Answer> {
  const { method = 'GET', headers = {}, body, token } = options
  return await new Promise<Answer>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: api.port, path, method, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    outgoing.on('error', reject)
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
    if (token === true) outgoing.setHeader('authorization', `Bearer ${api.token}`)
    outgoing.end(body)
  })
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return await ask(path, {
    method: 'POST',
    token: true,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body)
  })
}

describe('the HTTP API guards', () => {
  it('Host: only loopback names, so that a rebound name is refused', async () => {
    for (const host of [`127.0.0.1:${api.port}`, `localhost:${api.port}`, `LOCALHOST:${api.port}`])
      expect((await ask('/v1/status', { headers: { host } })).status).toBe(200)
    for (const host of [
      'evil.example',
      `evil.example:${api.port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1.evil:${api.port}`
    ])
      expect((await ask('/v1/status', { headers: { host } })).status, host).toBe(403)
  })

  it('Origin and Sec-Fetch-Site: no page of another site', async () => {
    const good = { origin: `http://127.0.0.1:${api.port}`, 'sec-fetch-site': 'same-origin' }
    expect((await ask('/v1/status', { headers: good })).status).toBe(200)
    for (const origin of ['https://evil.example', 'null', `https://127.0.0.1:${api.port}`, 'http://127.0.0.1:1'])
      expect((await ask('/v1/status', { headers: { origin } })).status, origin).toBe(403)
    for (const site of ['cross-site', 'same-site'])
      expect((await ask('/v1/status', { headers: { 'sec-fetch-site': site } })).status, site).toBe(403)
    const { headers } = await ask('/v1/status')
    expect(Object.keys(headers).some((name) => name.startsWith('access-control'))).toBe(false)
  })

  it('the token: every write needs the right one', async () => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ to: bob, amount: 1 })
    const count = (await node.status()).entries
    for (const path of ['/v1/transfers', '/v1/records?name=a', '/v1/import', '/v1/connect']) {
      const answer = await ask(path, { method: 'POST', headers, body })
      expect(answer.status, path).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
    const wrong = [
      `Bearer ${api.token}x`,
      `Bearer ${api.token.slice(0, -1)}`,
      `Basic ${api.token}`,
      'Bearer ',
      api.token,
      `Bearer ${'x'.repeat(5_000)}`
    ]
    for (const authorization of wrong)
      expect(
        (await ask('/v1/transfers', { method: 'POST', headers: { ...headers, authorization }, body })).status
      ).toBe(401)
    expect((await node.status()).entries).toBe(count)
    expect((await ask('/v1/transfers', { method: 'POST', headers, body, token: true })).status).toBe(201)
  })

  it('bodies: their type and their size', async () => {
    const body = JSON.stringify({ to: bob, amount: 1 })
    const form = { 'content-type': 'text/plain' }
    expect((await ask('/v1/transfers', { method: 'POST', token: true, headers: form, body })).status).toBe(400)
    const large = JSON.stringify({ to: bob, amount: 1, memo: 'x'.repeat(20_000) })
    expect((await post('/v1/transfers', JSON.parse(large))).status).toBe(413)
    // Without a length, so that only counting detects it.
    const chunked = await ask('/v1/records?name=a', {
      method: 'POST',
      token: true,
      headers: { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' },
      body: new Uint8Array(100_001)
    })
    expect(chunked.status).toBe(413)
    expect(
      (
        await ask('/v1/transfers', {
          method: 'POST',
          token: true,
          headers: { 'content-type': 'application/json' },
          body: '{'
        })
      ).status
    ).toBe(400)
    expect((await post('/v1/transfers', [1])).status).toBe(400)
  })

  it('requests that are no HTTP, without a crash', async () => {
    for (const garbage of [
      '\u0000\u0001\u0002',
      'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`
    ])
      await new Promise<void>((resolve) => {
        const socket = connect(api.port, '127.0.0.1', () => socket.end(garbage))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
        socket.resume()
      })
    expect((await ask('/v1/entries/%zz')).status).toBe(400)
    expect((await ask('http://[')).status).toBe(400)
    expect((await ask('/v1/status')).status).toBe(200)
  })
})

describe('the HTTP API', () => {
  it('answers in codes: 400, 404, 405, 409', async () => {
    expect((await ask('/v1/nothing')).status).toBe(404)
    expect((await ask('/v1/status', { method: 'DELETE' })).status).toBe(405)
    expect((await ask('/v1/entries/nonsense')).status).toBe(400)
    expect((await ask('/v1/entries?limit=0')).status).toBe(400)
    expect((await ask('/v1/entries?limits=5')).status).toBe(400)
    expect((await ask('/v1/balances/nobody')).status).toBe(400)
    expect((await ask('/v1/entries/bafyreiajgcqj5ydzvv23e35pww4knygv24tfxbzfhhr2sfsnscbpd2cziu')).status).toBe(404)
    const refused = await post('/v1/transfers', { to: bob, amount: '999999' })
    expect(refused.status).toBe(409)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'REJECTED' } })
    for (const body of [
      { to: bob },
      { to: bob, amount: 0 },
      { to: bob, amount: '1.5' },
      { to: bob, amount: 1, nonsense: 1 },
      { to: bob, amount: 1, sequence: 1 }
    ])
      expect((await post('/v1/transfers', body)).status, JSON.stringify(body)).toBe(400)
  })

  it('writes one reference once, also when asked many times at once', async () => {
    const body = { to: bob, amount: 3, reference: 'invoice 7' }
    const answers = await Promise.all(Array.from({ length: 8 }, async () => await post('/v1/transfers', body)))
    expect(answers.map(({ status }) => status).sort((x, y) => x - y)).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
    expect(new Set(answers.map(({ text }) => (JSON.parse(text) as { cid: string }).cid)).size).toBe(1)
    const later = await post('/v1/transfers', body)
    expect(later.status).toBe(200)
  })

  it('numbers writes that come together, and refuses what they cannot pay together', async () => {
    const { balance } = await node.balance(node.account)
    const half = (BigInt(balance) / 2n + 1n).toString()
    const answers = await Promise.all([1, 2].map(async () => await post('/v1/transfers', { to: bob, amount: half })))
    expect(answers.map(({ status }) => status).sort((x, y) => x - y)).toEqual([201, 409])
    const small = await Promise.all(
      Array.from({ length: 50 }, async () => await post('/v1/transfers', { to: bob, amount: 1 }))
    )
    expect(small.every(({ status }) => status === 201)).toBe(true)
    expect((await node.status()).rejected).toBe(0)
    const listed = await node.entries({ account: node.account, limit: 1_000 })
    expect(listed.entries.map(({ sequence }) => sequence)).toEqual(listed.entries.map((_, i) => i))
  })

  it('stores documents and gives them back without rights', async () => {
    const bytes = seededBytes(60_000, 4)
    const answer = await ask('/v1/records?name=page.html', {
      method: 'POST',
      token: true,
      headers: { 'content-type': 'text/html' },
      body: bytes
    })
    expect(answer.status).toBe(201)
    const { content } = JSON.parse(answer.text) as { content: string }
    const remote = new RemoteLedger(api)
    const parts: Uint8Array[] = []
    for await (const chunk of (await remote.content(content)).body) parts.push(chunk)
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
    const { headers } = await ask(`/v1/content/${content}`)
    expect(headers['content-type']).toBe('text/html')
    expect(headers['content-security-policy']).toContain('sandbox')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  it('does not take an entry’s word for how long a document is', async () => {
    const config = await loadConfig({ env: {}, file: false, overrides: { backend: 'memory' } })
    const peer = await createPeer(await createBackends(config))
    const { topic } = (home as Home).genesis
    const view = await openView({ peer, topic, store: `${folder}/mallory`, maxParents, maxPayloadBytes })
    try {
      // Bytes beyond the stated length would be read as the next answer on the connection.
      const text = '1234567890HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'
      const { cid } = await peer.data.add(new TextEncoder().encode(text))
      const lie = { type: 'record', sequence: 0, cid, name: 'a', mediaType: 'text/plain', size: 10 } as const
      const entry = await view.append(encodePayload(lie))
      await until(
        'the lie is in the ledger',
        async () => (await ask(`/v1/entries/${entry.cid.toString()}`)).status === 200
      )
      const answer = await ask(`/v1/content/${cid.toString()}`)
      expect([answer.headers['content-length'], answer.headers['content-type']]).toEqual([undefined, 'text/plain'])
      expect(answer.text).toBe(text)
    } finally {
      await view.stop()
      await peer.stop()
    }
  })

  it('does not let a stranger relabel a document', async () => {
    const config = await loadConfig({ env: {}, file: false, overrides: { backend: 'memory' } })
    const peer = await createPeer(await createBackends(config))
    const { topic } = (home as Home).genesis
    const view = await openView({ peer, topic, store: `${folder}/relabel`, maxParents, maxPayloadBytes })
    const typeOf = async (path: string): Promise<string | undefined> => {
      const { status, headers } = await ask(`/v1/content/${path}`)
      return status === 200 ? headers['content-type'] : String(status)
    }
    try {
      const own = await node.record({ name: 'a.csv', mediaType: 'text/csv', content: [Buffer.from('a,b')] })
      const [mine, theirs] = [
        own.entry.type === 'record' ? own.entry.content : '',
        await peer.data.add(Buffer.from('c,d'))
      ]
      const claim = async (cid: string, sequence: number, mediaType: string): Promise<string> => {
        const lie = { type: 'record', sequence, cid: CID.parse(cid), name: 'x', mediaType, size: 3 } as const
        // Without parents it is first in canonical order.
        const entry = (await view.append(encodePayload(lie), { parents: [] })).cid.toString()
        await until('it is in the ledger', async () => (await ask(`/v1/entries/${entry}`)).status === 200)
        return entry
      }
      const lie = await claim(mine, 0, 'text/html')
      expect(await typeOf(mine)).toBe('text/csv')
      expect(await typeOf(`${mine}?entry=${own.entry.cid}`)).toBe('text/csv')
      expect(await typeOf(`${mine}?entry=${lie}`)).toBe('text/html')
      const other = theirs.cid.toString()
      await claim(other, 1, 'text/plain')
      expect(await typeOf(other)).toBe('text/plain')
      await claim(other, 2, 'text/html')
      expect(await typeOf(other)).toBe('application/octet-stream')
      expect(await typeOf(`${other}?entry=${lie}`)).toBe('404')
      expect(await typeOf(`${other}?entry=nonsense`)).toBe('400')
      const remote = await new RemoteLedger(api).content(mine, { entry: lie })
      expect(remote.mediaType).toBe('text/html')
    } finally {
      await view.stop()
      await peer.stop()
    }
  })

  it('pages through entries', async () => {
    const seen: string[] = []
    for (let after: string | undefined; ;) {
      const page = await new RemoteLedger(api).entries({ limit: 7, after })
      seen.push(...page.entries.map(({ cid }) => cid))
      if (page.next === undefined) break
      after = page.next
    }
    const all = await node.entries({ limit: 1_000 })
    expect(seen).toEqual(all.entries.map(({ cid }) => cid))
  })

  it('streams what happens as server-sent events', async () => {
    let text = ''
    const listening = request(`${api.url}/v1/events`, (response) => {
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
    })
    listening.on('error', () => undefined)
    listening.end()
    await until('the first event', () => text.includes('event: digest'))
    const { entry } = await node.transfer({ to: bob, amount: 1n })
    await until('the entry', () => text.includes(entry.cid))
    expect(text).toContain(`event: entry\ndata: {"cid":"${entry.cid}"`)
    listening.destroy()
  })

  it('bounds the number of listeners, and cuts off those that do not read', async () => {
    const streams = new EventStreams({ maxClients: 2, maxBacklog: 1_000 })
    type Response = Parameters<EventStreams['open']>[0]
    const fake = (backlog: number): Response & { destroyed: boolean } => {
      const response = {
        destroyed: false,
        writableLength: backlog,
        writeHead: () => response,
        on: () => response,
        write: () => true,
        end: () => response,
        destroy: () => {
          response.destroyed = true
        }
      }
      return response as unknown as Response & { destroyed: boolean }
    }
    const slow = fake(1_001)
    const quick = fake(10)
    streams.open(slow, undefined)
    streams.open(quick, undefined)
    expect(() => streams.open(fake(0), undefined)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }))
    streams.send({ type: 'digest', data: { root: 'r', entries: 1 } })
    expect([slow.destroyed, quick.destroyed]).toEqual([true, false])
    streams.close()
  })
})
