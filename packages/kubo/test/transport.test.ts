import { once } from 'node:events'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { isP2plError } from '@p2pl/core/backend'
import { type Proxy, startProxy } from '@p2pl/tooling-kubo/proxy'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it, vi } from 'vitest'
import type { Answer } from '../src/rpc/answer.ts'
import { parseTarget } from '../src/rpc/target.ts'
import { type CallKind, Transport } from '../src/rpc/transport.ts'
import { endless, type FakeDaemon, type Responder, startFakeDaemon } from '@p2pl/tooling-kubo/fake-daemon'

const folder = temporaryFolder('p2pl-transport-')
const store: CallKind = { operation: 'test.store', lane: 'store' }
const network: CallKind = { operation: 'test.network', lane: 'network' }
const stream: CallKind = { operation: 'test.stream', lane: 'stream', timeout: 20_000 }
const closers: (() => unknown)[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const close of closers.splice(0).toReversed()) await close()
})

const never: Responder = () => {}
const someLines: Responder = (response) => void response.write('{"n":1}\n')

async function against(answers: Record<string, Responder>, path?: string): Promise<[Transport, FakeDaemon]> {
  const daemon = await startFakeDaemon(answers, path)
  const rpc = new Transport(20_000)
  closers.push(
    () => daemon.close(),
    () => rpc.close()
  )
  await rpc.open(parseTarget({ url: daemon.url, authorization: { bearer: 's3cret' } }))
  return [rpc, daemon]
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    (value) => new Error(`it resolved with ${String(value)}`),
    (error: unknown) => error
  )
}

/** Reads the first line, and resolves with the error that the next reading will end with. */
async function firstLine(answer: Answer): Promise<{ error: Promise<unknown> }> {
  const lines = answer.lines()
  await lines.next()
  return { error: errorOf(lines.next()) }
}

it('sends headers and parameters and reads the answer, also by a unix socket', async () => {
  for (const path of [undefined, join(folder, 'api.sock')]) {
    const [rpc] = await against(
      {
        echo: (response, request) =>
          response.end(JSON.stringify({ url: request.url, authorization: request.headers.authorization }))
      },
      path
    )
    const answer = await rpc.request(store, { path: 'echo', query: new URLSearchParams({ arg: 'a b' }) })
    expect(await answer.json()).toEqual({ url: '/api/v0/echo?arg=a+b', authorization: 'Bearer s3cret' })
  }
})

it('ends a call that is not answered in time with TIMEOUT', async () => {
  const [rpc, daemon] = await against({ never, half: someLines })
  const call = rpc.request({ ...network, timeout: 50 }, { path: 'never' })
  expect(await errorOf(call)).toMatchObject({ code: 'TIMEOUT', retryable: true, operation: 'test.network' })
  // The time of local work counts until the last byte.
  const half = rpc.request({ ...store, timeout: 1_000 }, { path: 'half' }).then((answer) => answer.collect())
  expect(await errorOf(half)).toMatchObject({ code: 'TIMEOUT' })
  await daemon.noConnections()
})

it('a call that was answered while this process stood still has come in time', async () => {
  // A server that goes on meanwhile: it tells of a call, and answers when it is let.
  const shared = new SharedArrayBuffer(8)
  const [may, answered] = [0, 1]
  const server = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    const flags = new Int32Array(workerData)
    const server = require('node:http').createServer((request, response) => {
      parentPort.postMessage('asked')
      Atomics.wait(flags, ${may}, 0)
      response.end('{}', () => Atomics.notify(flags, ${answered}, Atomics.store(flags, ${answered}, 1)))
    })
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
    { eval: true, workerData: shared }
  )
  closers.push(() => server.terminate())
  const [port] = (await once(server, 'message')) as [number]
  const rpc = new Transport(20_000)
  closers.push(() => rpc.close())
  await rpc.open(parseTarget({ url: `http://127.0.0.1:${port}` }))
  const { setTimeout: realTimeout } = globalThis
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const call = rpc.request(store, { path: 'works' }).then((answer) => answer.json())
  await once(server, 'message')
  const flags = new Int32Array(shared)
  // From here on this process stands still, and when it goes on, timers come first.
  await new Promise((resolve) => realTimeout(resolve, 1))
  Atomics.store(flags, may, 1)
  Atomics.notify(flags, may)
  Atomics.wait(flags, answered, 0)
  vi.advanceTimersByTime(20_001)
  expect(await call).toEqual({})
})

it('ends a call when the signal of its caller fires, before and within the answer', async () => {
  const [rpc, daemon] = await against({ never, half: someLines })
  const controller = new AbortController()
  const { signal } = controller
  const waiting = errorOf(rpc.request(network, { path: 'never', signal }))
  const reading = await firstLine(await rpc.request(network, { path: 'half', signal }))
  controller.abort(new Error('enough'))
  expect(await waiting).toMatchObject({ code: 'ABORTED', operation: 'test.network' })
  expect(await reading.error).toMatchObject({ code: 'ABORTED' })
  const before = await until('both have arrived', () => daemon.calls === 2 && daemon.calls)
  expect(await errorOf(rpc.request(network, { path: 'never', signal }))).toMatchObject({ code: 'ABORTED' })
  expect(daemon.calls).toBe(before)
  await daemon.noConnections()
})

it('a thousand aborted calls leave no connection and hold up nobody', async () => {
  const [rpc, daemon] = await against({ never, works: (response) => response.end('{}') })
  const controller = new AbortController()
  const calls = Array.from({ length: 1_000 }, () =>
    errorOf(rpc.request(store, { path: 'never', signal: controller.signal }))
  )
  await until('some have arrived', () => daemon.calls >= 16)
  controller.abort()
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'ABORTED' })
  expect(await (await rpc.request(store, { path: 'works' })).json()).toEqual({})
  rpc.close()
  await daemon.noConnections()
})

it('close ends what is under way with NOT_RUNNING and leaves no connection', async () => {
  const [rpc, daemon] = await against({ never, half: someLines, works: (response) => response.end('{}') })
  await (await rpc.request(store, { path: 'works' })).collect()
  const waiting = errorOf(rpc.request(network, { path: 'never' }))
  const reading = await firstLine(await rpc.request(stream, { path: 'half' }))
  // Nobody reads this one: its end must not become an uncaught error.
  await rpc.request(stream, { path: 'half' })
  rpc.close()
  expect(await waiting).toMatchObject({ code: 'NOT_RUNNING' })
  expect(await reading.error).toMatchObject({ code: 'NOT_RUNNING' })
  expect(await errorOf(rpc.request(store, { path: 'works' }))).toMatchObject({ code: 'NOT_RUNNING' })
  await daemon.noConnections()
})

it('leaving the iteration of an answer closes its connection', async () => {
  const [rpc, daemon] = await against({ endless })
  for await (const chunk of (await rpc.request(network, { path: 'endless' })).chunks()) if (chunk.length > 0) break
  await daemon.noConnections()
})

it('bounds whole answers, lines and the texts of errors', async () => {
  const [rpc, daemon] = await against({
    endless,
    refused: (response) => endless(response.writeHead(500), response.req)
  })
  const answer = await rpc.request(network, { path: 'endless' })
  expect(await errorOf(answer.collect(1_000_000))).toMatchObject({ code: 'PROTOCOL', retryable: true })
  const lines = (await rpc.request(network, { path: 'endless' })).lines()
  const readAll = async (): Promise<void> => {
    for await (const line of lines) void line
  }
  expect(await errorOf(readAll())).toMatchObject({ code: 'PROTOCOL' })
  expect(await errorOf(rpc.request(network, { path: 'refused' }))).toMatchObject({ code: 'PROTOCOL' })
  await daemon.noConnections()
})

it('a stream outlives the timeout of its start', async () => {
  let send: () => void = () => {}
  const [rpc] = await against({
    late: (response) => {
      response.flushHeaders()
      send = () => void response.end('{"n":2}\n')
    }
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const answer = await rpc.request(stream, { path: 'late' })
  vi.advanceTimersByTime(20_001)
  await new Promise((resolve) => setImmediate(resolve))
  send()
  const found: unknown[] = []
  for await (const object of answer.objects()) found.push(object)
  expect(found).toEqual([{ n: 2 }])
})

it('fetches that wait do not hold up local work', async () => {
  const [rpc, daemon] = await against({ never, works: (response) => response.end('{}') })
  const waiting = Array.from({ length: 300 }, () => errorOf(rpc.request(network, { path: 'never' })))
  await until('all connections are used', () => daemon.calls === 256)
  expect(await (await rpc.request(store, { path: 'works' })).json()).toEqual({})
  rpc.close()
  await Promise.all(waiting)
})

it('refuses calls beyond a bound with OVERLOADED', async () => {
  const [rpc] = await against({ never })
  const waiting = Array.from({ length: 4_096 }, () => errorOf(rpc.request(network, { path: 'never' })))
  expect(await errorOf(rpc.request(network, { path: 'never' }))).toMatchObject({ code: 'OVERLOADED', retryable: true })
  rpc.close()
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'NOT_RUNNING' })
})

const breaks: Record<string, Responder> = {
  'a length that is not reached': (response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('only this', () => response.destroy())
  },
  'chunks that break off': (response) => void response.write('only this', () => response.destroy()),
  'chunks that end in order': (response) => void response.write('only this', () => response.socket?.end())
}
it.each(Object.entries(breaks))('an answer that breaks off is UNREACHABLE: %s', async (_, breaking) => {
  const [rpc] = await against({ breaking })
  const answer = await rpc.request(network, { path: 'breaking' })
  expect(await errorOf(answer.collect())).toMatchObject({ code: 'UNREACHABLE', retryable: true })
})

it('finds the error in a trailer and in a last line', async () => {
  const [rpc] = await against({
    trailer: (response) => {
      response.writeHead(200, { trailer: 'X-Stream-Error' })
      response.write('half a block')
      response.addTrailers({ 'X-Stream-Error': 'no space left on device' })
      response.end()
    },
    line: (response) => response.end('{"n":1}\n{"Message":"no space left on device","Code":0,"Type":"error"}\n')
  })
  expect(await errorOf((await rpc.request(network, { path: 'trailer' })).collect())).toMatchObject({ code: 'STORAGE' })
  const readAll = async (): Promise<void> => {
    for await (const object of (await rpc.request(network, { path: 'line' })).objects())
      expect(object).toEqual({ n: 1 })
  }
  expect(await errorOf(readAll())).toMatchObject({ code: 'STORAGE' })
})

it('names a daemon that redirects, with the remedy', async () => {
  const [rpc] = await against({
    moved: (response) =>
      response.writeHead(308, { location: 'https://ada:s3cret@ipfs.example.org/team/api/v0/moved' }).end(),
    empty: (response) => response.writeHead(302).end()
  })
  expect(await errorOf(rpc.request(store, { path: 'moved' }))).toMatchObject({
    code: 'PROTOCOL',
    retryable: false,
    message: expect.stringContaining(
      'redirects test.store to https://ipfs.example.org/team (308): set "url"'
    ) as unknown
  })
  expect(await errorOf(rpc.request(store, { path: 'empty' }))).toMatchObject({
    code: 'PROTOCOL',
    message: expect.stringContaining('set "url"') as unknown
  })
})

it('never has credentials in an error', async () => {
  const [rpc, daemon] = await against({
    refused: (response) => response.writeHead(403).end('403 - Access Denied'),
    moved: (response) => response.writeHead(301, { location: 'http://x:s3cret@h/' }).end(),
    garbage: (response) => void response.socket?.end('no HTTP at all\r\n\r\n'),
    never
  })
  const failing = ['refused', 'moved', 'garbage', 'unknown'].map((path) => rpc.request(store, { path }))
  const errors = await Promise.all([...failing, rpc.request({ ...store, timeout: 20 }, { path: 'never' })].map(errorOf))
  await daemon.close()
  errors.push(await errorOf(rpc.request(store, { path: 'refused' })))
  expect(errors.map((error) => (isP2plError(error) ? error.code : error))).toEqual([
    'UNAUTHORIZED',
    'PROTOCOL',
    'PROTOCOL',
    'PROTOCOL',
    'TIMEOUT',
    'UNREACHABLE'
  ])
  // With all causes and fields.
  for (const error of errors) expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret')
})

it('reads a flood of lines in turns of the event loop', async () => {
  const lines = Buffer.from(`${JSON.stringify({ text: 'x'.repeat(300) })}\n`.repeat(3_000))
  const chunks = 64
  const [rpc] = await against({
    flood: (response) => {
      let sent = 0
      const more = (): void => {
        while (sent < chunks) if ((sent++, !response.write(lines))) return void response.once('drain', more)
        response.end()
      }
      more()
    }
  })
  let turns = 0
  let running = true
  const turn = (): void => {
    turns++
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  let count = 0
  for await (const object of (await rpc.request(network, { path: 'flood' })).objects()) if ('text' in object) count++
  running = false
  expect(count).toBe(chunks * 3_000)
  // At most a thousand lines at a time.
  expect(turns).toBeGreaterThan((chunks * 3_000) / 1_000)
})

const faults: [string, (proxy: Proxy) => void, string][] = [
  ['drops connections', (proxy) => proxy.drop(), 'UNREACHABLE'],
  ['ends them in order', (proxy) => proxy.halfClose(), 'UNREACHABLE'],
  ['refuses connections', (proxy) => proxy.refuse(), 'UNREACHABLE'],
  ['stalls', (proxy) => proxy.stall(), 'TIMEOUT'],
  ['swallows what is sent', (proxy) => proxy.swallow(), 'TIMEOUT']
]
it.each(faults)('a network that %s ends calls typed and retryable, and works again after it', async (_, fail, code) => {
  const daemon = await startFakeDaemon({ never, half: someLines, works: (response) => response.end('{}') })
  const proxy = await startProxy(daemon.url)
  const rpc = new Transport(20_000)
  closers.push(
    () => daemon.close(),
    () => proxy.close(),
    () => rpc.close()
  )
  await rpc.open(parseTarget({ url: proxy.url }))
  // Leaves a connection in the pool, which the fault hits, too.
  await (await rpc.request(store, { path: 'works' })).collect()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const waiting = errorOf(rpc.request(store, { path: 'never' }))
  const reading = await firstLine(await rpc.request(store, { path: 'half' }))
  await until('the calls have arrived', () => daemon.calls === 3)
  fail(proxy)
  if (code === 'TIMEOUT') vi.advanceTimersByTime(20_001)
  for (const error of [await waiting, await reading.error]) expect(error).toMatchObject({ code, retryable: true })
  proxy.heal()
  await until('it works again', async () => {
    const answer = await rpc.request(store, { path: 'works' }).catch(() => undefined)
    return (await answer?.json().catch(() => undefined)) !== undefined
  })
})
