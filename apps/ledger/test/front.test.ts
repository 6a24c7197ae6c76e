import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type DemoPeer, startFront } from '../src/http/front.ts'
import { type Api, startApi } from '../src/http/server.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { Activity } from '../src/run/activity.ts'
import { openNode } from '../src/run/open-node.ts'
import { RemoteLedger } from '../src/service/remote.ts'
import type { StatusView } from '../src/service/views.ts'
import { accountIds, makeHomes } from './support.ts'

const folder = temporaryFolder()
const killed: string[] = []
const watchers = new Set<() => void>()
let node: LedgerNode
let api: Api
let front: Api
let peers: DemoPeer[]
let bob = ''

beforeAll(async () => {
  const [home] = await makeHomes(folder, ['alder'])
  if (home === undefined) throw new Error('no home')
  const activity = new Activity(() => {})
  node = await openNode(home, { backend: 'memory', env: {}, activity })
  api = await startApi({ service: node, activity })
  front = await startFront({
    demo: {
      peers: () => peers,
      kill: async (name) => void killed.push(name),
      watch: (listener) => {
        watchers.add(listener)
        return () => watchers.delete(listener)
      }
    }
  })
  ;[bob = ''] = await accountIds(1)
})

beforeEach(() => {
  peers = [
    { name: 'alder', life: 'up', ledger: new RemoteLedger(api) },
    { name: 'birch', life: 'killed' }
  ]
})

afterAll(async () => {
  await front.close()
  await api.close()
  await node.stop()
})

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function ask(path: string, options: { token?: string; body?: unknown } = {}): Promise<Answer> {
  const { token, body } = options
  const response = await fetch(`${front.url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    }
  })
  return { status: response.status, body: await response.json() }
}

/** Collects everything that the front sends from now on. */
async function listen(): Promise<{ text: () => string; stop: () => void }> {
  const ended = new AbortController()
  const response = await fetch(`${front.url}/v1/events`, { signal: ended.signal })
  let text = ''
  const read = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk)
  }
  read().catch(() => undefined)
  return { text: () => text, stop: () => ended.abort() }
}

describe('the front of a demonstration', () => {
  it('names its peers, and answers for each that is up', async () => {
    expect((await ask('/v1/nodes')).body).toEqual({
      demonstration: true,
      nodes: [
        { name: 'alder', life: 'up', path: '/v1/nodes/alder' },
        { name: 'birch', life: 'killed', path: '/v1/nodes/birch' }
      ]
    })
    const { status, body } = await ask('/v1/nodes/alder/status')
    expect(status).toBe(200)
    expect((body as StatusView).account).toBe(node.account)
    expect(await ask('/v1/nodes/birch/status')).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } })
    expect(await ask('/v1/nodes/dov/status')).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
  })

  it('gives a page what it shows, and nothing else of a node', async () => {
    for (const path of ['genesis', 'balances', 'entries'])
      expect((await ask(`/v1/nodes/alder/${path}`)).status, path).toBe(200)
    for (const path of ['export', 'metrics', 'health', 'events', 'nodes', '../../v1/metrics', ''])
      expect((await ask(`/v1/nodes/alder/${path}`)).status, path).toBe(404)
    for (const path of ['import', 'connect', 'backends/helia'])
      expect((await ask(`/v1/nodes/alder/${path}`, { body: {}, token: front.token })).status, path).toBe(404)
  })

  it('writes with its own token, and with no other', async () => {
    const body = { to: bob, amount: '5' }
    expect((await ask('/v1/nodes/alder/transfers', { body })).status).toBe(401)
    expect((await ask('/v1/nodes/alder/transfers', { body, token: api.token })).status).toBe(401)
    expect((await ask('/v1/nodes/alder/transfers', { body, token: front.token })).status).toBe(201)
    expect(await node.balance(bob)).toMatchObject({ balance: '5' })
  })

  it('kills a peer that there is, with the token', async () => {
    const kill = '/v1/demo/peers/alder/kill'
    expect((await ask(kill, { body: {} })).status).toBe(401)
    expect((await ask('/v1/demo/peers/dov/kill', { body: {}, token: front.token })).status).toBe(404)
    expect(killed).toEqual([])
    expect(await ask(kill, { body: {}, token: front.token })).toEqual({ status: 200, body: { killed: 'alder' } })
    expect(killed).toEqual(['alder'])
  })

  it('tells what happens at each peer, traces too, and who comes and goes', async () => {
    const { text, stop } = await listen()
    await until('the peers', () => text().includes('event: nodes'))
    await until('the first event of a peer', () => text().includes('event: digest'))
    const told = text()
    expect(told.indexOf('event: listening\ndata: {"node":"alder","data":{}}')).toBeGreaterThan(0)
    expect(told.indexOf('event: listening')).toBeLessThan(told.indexOf('event: digest'))
    const { entry } = await node.transfer({ to: bob, amount: 1n })
    await until('the entry', () => text().includes(`event: entry\ndata: {"node":"alder","data":{"cid":"${entry.cid}"`))
    await until('the message', () => /event: trace\ndata: \{"node":"alder".*"published"/.test(text()))
    peers = [{ name: 'alder', life: 'starting' }]
    for (const watcher of watchers) watcher()
    await until('the change', () => text().includes('{"name":"alder","life":"starting","path":"/v1/nodes/alder"}'))
    stop()
    // Nobody is watching any more, so the peers collect nothing.
    await until('the end', () => watchers.size === 1)
  })
})

describe('the page', () => {
  it.each(['front', 'node'])('of a %s allows nothing that is not its own', async (of) => {
    const response = await fetch(of === 'front' ? front.url : api.url)
    const policy = response.headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
      expect(policy).toContain(part)
    expect(policy).not.toContain('unsafe')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    // If the page is not built, a sentence says how to build it.
    expect(await response.text()).toMatch(response.status === 200 ? /<script type="module"/ : /npm start/)
  })

  it('has no path out of its folder', async () => {
    for (const path of [
      '/assets/..%2findex.html',
      '/assets/%2e%2e/package.json',
      '/assets/.env',
      '/index.html',
      '/src/'
    ])
      expect((await ask(path)).status, path).toBe(404)
  })

  it('is that of one node at a node', async () => {
    const response = await fetch(`${api.url}/v1/nodes`)
    expect(await response.json()).toEqual({
      demonstration: false,
      nodes: [{ name: node.account, life: 'up', path: '/v1' }]
    })
  })
})
