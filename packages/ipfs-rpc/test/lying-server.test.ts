import { createPeer } from '@p2pl/core'
import { endless, type Responder } from '@p2pl/tooling-kubo/fake-daemon'
import { describe, expect, it } from 'vitest'
import { rawBlock } from './support/block.ts'
import { collect } from './support/collect.ts'
import { Inbox } from './support/inbox.ts'
import { cid, lyingServer, peerId, refused } from './support/lying.ts'

describe('a server that lies', () => {
  const { against, events } = lyingServer()

  it('bounds what it takes for its own addresses', async () => {
    expect((await against({})).self()).toEqual([{ network: 'libp2p', id: peerId, addresses: ['/ip4/127.0.0.1/tcp/1'] }])
  })

  it('an old version is no reason to refuse, but a warning', async () => {
    const old = JSON.stringify({ ID: peerId, Addresses: [], AgentVersion: 'kubo/0.38.2/desktop' })
    await against({ id: (response) => response.end(old) })
    expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining('CVE-2026-46679') as unknown }])
  })

  it('an endless block ends with PROTOCOL', async () => {
    const { blocks } = await against({ 'block/get': endless })
    await expect(blocks?.get(cid)).rejects.toMatchObject({ code: 'PROTOCOL', retryable: true, operation: 'blocks.get' })
  })

  it('an endless JSON answer ends with PROTOCOL', async () => {
    const { messages } = await against({ 'pubsub/peers': endless })
    await expect(messages?.peers('t')).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  it('an endless line of a stream ends with PROTOCOL', async () => {
    const { blocks } = await against({ 'pin/ls': endless })
    await expect(collect(blocks?.pins() ?? [])).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  it('lines that are not JSON, or not of the right kind, end with PROTOCOL', async () => {
    const { blocks, routing } = await against({
      'pin/ls': (response) => response.end('{"Cid":"not a cid"}\n'),
      'repo/gc': (response) => response.end('{{{\n'),
      'routing/findprovs': (response) => response.end('null\n')
    })
    await expect(collect(blocks?.pins() ?? [])).rejects.toMatchObject({ code: 'PROTOCOL' })
    await expect(collect(blocks?.gc() ?? [])).rejects.toMatchObject({ code: 'PROTOCOL' })
    await expect(collect(routing?.findProviders(cid) ?? [])).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  it('an entry that others made unreadable ends no search: the others arrive', async () => {
    const found = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
    const query = [
      { Type: 1, ID: 'garbage', Responses: [{ ID: 'x', Addrs: ['/nonsense'] }] },
      { Type: 99 },
      { Type: 4, Responses: null },
      {
        Type: 4,
        Responses: [
          null,
          { ID: 'garbage', Addrs: null },
          { ID: found, Addrs: ['/ip4/1.2.3.4/tcp/1/plaintextv2', 7, 'x', '/ip4/1.2.3.4/tcp/1', `/${'x'.repeat(600)}`] }
        ]
      },
      { Type: 2, Responses: [{ ID: found, Addrs: ['nonsense', '/ip4/1.2.3.4/tcp/2'] }] }
    ]
    const lines = query.map((event) => `${JSON.stringify(event)}\n`).join('')
    const peers = {
      Peers: [
        { Peer: 'garbage', Addr: '/ip4/1.2.3.4/tcp/3' },
        { Peer: found, Addr: '/ip4/1.2.3.4/tcp/3' }
      ]
    }
    const { routing } = await against({
      'routing/findprovs': (response) => response.end(lines),
      'routing/findpeer': (response) => response.end(lines),
      'swarm/peers': (response) => response.end(JSON.stringify(peers))
    })
    expect(await collect(routing?.findProviders(cid) ?? [])).toEqual([
      {
        network: 'libp2p',
        id: found,
        addresses: [`/ip4/1.2.3.4/tcp/1/plaintextv2/p2p/${found}`, `/ip4/1.2.3.4/tcp/1/p2p/${found}`]
      }
    ])
    expect(await routing?.findPeer(found)).toEqual({
      network: 'libp2p',
      id: found,
      addresses: [`/ip4/1.2.3.4/tcp/2/p2p/${found}`]
    })
    expect(await routing?.connections()).toEqual([{ network: 'libp2p', id: found, addresses: ['/ip4/1.2.3.4/tcp/3'] }])
  })

  it('an error after the first lines is what the call ends with', async () => {
    const late = (text: string): string => `${JSON.stringify({ Message: text, Code: 0, Type: 'error' })}\n`
    const many = await Promise.all(Array.from({ length: 3 }, async (_, i) => await rawBlock(Uint8Array.of(i))))
    const { blocks, routing } = await against({
      'repo/gc': (response) => response.end(`{"Key":{"/":"${cid.toString()}"}}\n${late('write: no space left')}`),
      'block/put': (response) =>
        response.end(`{"Key":"${String(many[0]?.cid)}","Size":1}\n${late('write: no space left')}`),
      'routing/provide': (response) => response.end(`{"Type":7}\n${late('cannot provide, no connected peers')}`)
    })
    await expect(collect(blocks?.gc() ?? [])).rejects.toMatchObject({ code: 'STORAGE' })
    await expect(blocks?.putMany(many)).rejects.toMatchObject({ code: 'STORAGE' })
    await expect(routing?.provide(cid)).rejects.toMatchObject({ code: 'NO_PEERS' })
  })

  it('an error whose text never ends is PROTOCOL', async () => {
    const { blocks, messages } = await against({
      'block/stat': (response) => endless(response.writeHead(500), response.req),
      'pubsub/peers': (response) => endless(response.writeHead(500), response.req)
    })
    await expect(blocks?.has(cid)).rejects.toMatchObject({ code: 'PROTOCOL' })
    await expect(messages?.peers('t')).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  it("answers that are JSON of another shape than the call's are PROTOCOL", async () => {
    const shapes = ['null', '7', '[]', '{}', '{"Key":7}', '{"Pins":7}', '{"Peers":{}}', '{"Strings":7}', '"text"']
    let shape = ''
    const answer: Responder = (response) => response.end(shape)
    const { blocks, messages } = await against({
      'block/put': answer,
      'block/stat': answer,
      'pin/add': answer,
      'pubsub/peers': answer,
      'repo/stat': answer
    })
    const block = await rawBlock(new Uint8Array(1))
    for (shape of shapes) {
      const codes = await Promise.all(
        [blocks?.putMany([block]), blocks?.has(cid), blocks?.pin(cid), messages?.peers('t')].map(
          async (call) =>
            await Promise.resolve(call).then(
              (value) => value,
              (error: unknown) => (error as { code: unknown }).code
            )
        )
      )
      for (const code of codes)
        expect(['PROTOCOL', undefined, true, []], `${shape}: ${String(code)}`).toContainEqual(code)
    }
  })

  it('bytes that are not those of the CID never reach the app', async () => {
    const backend = await against({
      'block/get': (response) => response.end('not what the CID names'),
      'block/stat': refused('block was not found locally (offline): ipld: could not find x')
    })
    const peer = await createPeer({ backend })
    try {
      await expect(peer.data.bytes(cid, { timeout: 60_000 })).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    } finally {
      await peer.stop()
    }
  })

  it('a stored block under another CID is INVALID_CONTENT', async () => {
    const { blocks } = await against({
      'block/put': (response) => response.end(JSON.stringify({ Key: cid.toString(), Size: 1 }))
    })
    await expect(blocks?.putMany([await rawBlock(new Uint8Array(1))])).rejects.toMatchObject({
      code: 'INVALID_CONTENT'
    })
  })

  it('a daemon that stored less than it was given is PROTOCOL', async () => {
    const many = await Promise.all(Array.from({ length: 3 }, async (_, i) => await rawBlock(Uint8Array.of(i))))
    const { blocks } = await against({
      'block/put': (response) => response.end(`{"Key":"${String(many[0]?.cid)}","Size":1}\n`)
    })
    await expect(blocks?.putMany(many)).rejects.toMatchObject({ code: 'PROTOCOL' })
  })

  it('an answer that breaks off is UNREACHABLE and retryable', async () => {
    const { blocks } = await against({
      'block/get': (response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('only this', () => response.destroy())
      }
    })
    await expect(blocks?.get(cid)).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  })

  it('an error after the first bytes is found in the trailer', async () => {
    const { blocks } = await against({
      'block/get': (response) => {
        response.writeHead(200, { trailer: 'X-Stream-Error' })
        response.write('half a block')
        response.addTrailers({ 'X-Stream-Error': 'no space left on device' })
        response.end()
      }
    })
    await expect(blocks?.get(cid)).rejects.toMatchObject({ code: 'STORAGE' })
  })

  it('garbage on a subscription never reaches the subscriber: it is opened again, with a gap and a pause', async () => {
    let opened = 0
    const { messages } = await against({
      'pubsub/sub': (response) => {
        opened++
        response.write('{"from":"x","data":"uaGVsbG8","seqno":"u1"}\n{"data":7}\n')
      }
    })
    const inbox = new Inbox()
    await messages?.subscribe('t', inbox)
    await inbox.hasGap(2)
    expect(inbox.messages.every((text) => text === 'hello')).toBe(true)
    // The same sender and number again is no new message.
    expect(inbox.messages.length).toBe(1)
    expect(opened).toBeGreaterThan(1)
  })

  it.each([
    ['garbage', 'garbage\n'],
    ['a message and then garbage', '{"from":"x","data":"uaGVsbG8","seqno":"u1"}\ngarbage\n'],
    ['nothing', '']
  ])('a subscription that ends at once with %s is opened again less and less often', async (_, text) => {
    const openedAt: number[] = []
    const { messages } = await against({
      'pubsub/sub': (response) => {
        openedAt.push(performance.now())
        response.end(text)
      }
    })
    const inbox = new Inbox()
    await messages?.subscribe('t', inbox)
    await inbox.hasGap(5)
    // The first loss is mended at once, then there are pauses of 100, 200 and 400 ms.
    const [, second = 0, , , fifth = 0] = openedAt
    expect(fifth - second).toBeGreaterThan(600)
  })

  it('values that cannot become text, where text belongs, are PROTOCOL or left out', async () => {
    const bad = '{"toString":1,"valueOf":1}'
    const ends =
      (text: string): Responder =>
      (response) =>
        response.end(text)
    const { blocks, messages, routing } = await against({
      'block/put': ends(`{"Message":${bad},"Type":"error"}\n`),
      'routing/provide': ends(`{"Message":${'['.repeat(100_000)}${']'.repeat(100_000)},"Type":"error"}\n`),
      'block/stat': ends(`{"Key":"${cid.toString()}","Size":${bad}}`),
      'dag/stat': ends(`{"TotalSize":1,"DagStats":[{"NumBlocks":${bad}},null]}\n`),
      'pin/ls': refused('is not pinned'),
      'pin/add': ends('{"Pins":[]}\n'),
      'pubsub/peers': ends(`{"Strings":["${'x'.repeat(100_000)}"]}`),
      'pubsub/sub': (response) => {
        response.write(`{"from":${bad},"data":"uaGVsbG8","seqno":"u1"}\n`)
      }
    })
    await expect(blocks?.putMany([await rawBlock(new Uint8Array(1))])).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringContaining('an error without a message') as unknown
    })
    await expect(routing?.provide(cid)).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringContaining('an error without a message') as unknown
    })
    await expect(blocks?.pin(cid, { maxBytes: 10, recursive: false })).rejects.toMatchObject({ code: 'PROTOCOL' })
    const progress: unknown[] = []
    await blocks?.pin(cid, { maxBytes: 10, onProgress: (step) => progress.push(step) })
    expect(progress).toEqual([{ bytes: 1, blocks: 0 }])
    await expect(messages?.peers('t')).rejects.toMatchObject({ code: 'PROTOCOL' })
    const inbox = new Inbox()
    await messages?.subscribe('t', inbox)
    await inbox.has('hello')
    expect(inbox.gaps).toEqual([])
  })

  it('classifies what a daemon says', async () => {
    const said: [string, number, Record<string, unknown>][] = [
      ['validation ignored', 500, { code: 'OVERLOADED', retryable: true }],
      ['403 - Access Denied', 403, { code: 'UNAUTHORIZED', retryable: false }],
      ['block was not found locally (offline): ipld: could not find x', 500, { code: 'NOT_FOUND' }],
      ['context deadline exceeded', 500, { code: 'TIMEOUT', retryable: true }],
      [
        'experimental pubsub feature not enabled. Run daemon with --enable-pubsub-experiment',
        500,
        { code: 'UNSUPPORTED' }
      ],
      ['write /x: no space left on device', 500, { code: 'STORAGE' }],
      ['Bad Gateway', 502, { code: 'UNREACHABLE', retryable: true }],
      ['slow down', 429, { code: 'OVERLOADED', retryable: true }],
      ['something never seen', 500, { code: 'ENGINE', retryable: false }]
    ]
    let answer: Responder = () => {}
    const { messages } = await against({ 'pubsub/peers': (response, request) => answer(response, request) })
    for (const [text, status, expected] of said) {
      answer = refused(text, status)
      await expect(messages?.peers('t'), text).rejects.toMatchObject(expected)
    }
  })

  it('something else than a daemon at the address is found at the start', async () => {
    await expect(against({ id: (response) => response.end('{"hello":"world"}') })).rejects.toMatchObject({
      code: 'PROTOCOL'
    })
    await expect(against({ id: (response) => response.writeHead(404).end('nothing here') })).rejects.toMatchObject({
      code: 'PROTOCOL',
      retryable: false
    })
  })
})
