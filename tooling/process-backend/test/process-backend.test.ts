import { createHash } from 'node:crypto'
import { isP2plError, type Block } from '@p2pl/core/backend'
import { memory } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProcessPool, type BackendSource, type RemoteBackend } from '../src/index.ts'

const source: BackendSource = {
  module: import.meta.resolve('@p2pl/memory'),
  name: 'memory',
  args: [],
  of: memory(),
  network: 'memory'
}
let pool: ProcessPool
let backend: RemoteBackend

beforeEach(async () => {
  pool = new ProcessPool()
  backend = pool.take(source)
  await backend.start()
})

afterEach(async () => await pool.close())

function block(text: string): Block {
  const bytes = new Uint8Array(Buffer.from(text))
  const digest = createHash('sha256').update(bytes).digest()
  return { cid: CID.decode(new Uint8Array([0x01, 0x55, 0x12, 0x20, ...digest])), bytes }
}

it('calls a backend that lives in another process, and uses the process again', async () => {
  const one = block('one')
  await backend.blocks?.putMany([one])
  expect(await backend.blocks?.get(one.cid)).toEqual(one.bytes)
  expect(backend.self()).toEqual([{ network: 'memory', id: 'memory-1', addresses: ['memory:memory-1'] }])
  const other = pool.take(source)
  await other.start()
  expect(await other.blocks?.has(one.cid)).toBe(false)
  const pid = pool.pidOf(backend)
  expect(new Set([process.pid, pid, pool.pidOf(other)]).size).toBe(3)
  await backend.stop()
  pool.release(backend)
  const next = pool.take(source)
  await next.start()
  expect(pool.pidOf(next)).toBe(pid)
  expect(await next.blocks?.has(one.cid)).toBe(false)
})

it('keeps what an error says', async () => {
  const missing = backend.blocks?.get(block('missing').cid, { local: true })
  const error: unknown = await missing?.catch((reason: unknown) => reason)
  expect(isP2plError(error, 'NOT_FOUND')).toBe(true)
  expect(error).toMatchObject({ retryable: true, backend: 'memory', operation: 'blocks.get' })
  await backend.stop()
  expect(() => backend.self()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
})

it('hands iterables and progress across', async () => {
  const blocks = ['a', 'b', 'c'].map(block)
  await backend.blocks?.putMany(blocks)
  const progress: number[] = []
  const { cid: pinned } = blocks[0] as Block
  await backend.blocks?.pin(pinned, { onProgress: (now) => progress.push(now.blocks) })
  expect(progress).toEqual([1])
  const removed: string[] = []
  for await (const cid of backend.blocks?.gc() ?? []) removed.push(cid.toString())
  expect(removed.toSorted()).toEqual(
    blocks
      .slice(1)
      .map(({ cid }) => cid.toString())
      .toSorted()
  )
})

const pairSource: BackendSource = {
  ...source,
  name: 'pair',
  module: import.meta.resolve('./pair.ts'),
  methods: ['publishFromOther', 'searching']
}

it('ends a call in the other process when its signal fires', async () => {
  const pair = pool.take(pairSource)
  await pair.start()
  const controller = new AbortController()
  const waiting = pair.blocks?.get(block('never').cid, { signal: controller.signal })
  while ((await pair['searching']?.()) !== 1);
  const reason = new Error('enough')
  controller.abort(reason)
  const error: unknown = await waiting?.catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'ABORTED', cause: reason })
  while ((await pair['searching']?.()) !== 0);
})

it('hands messages to subscribers on this side, and none after the end', async () => {
  const pair = pool.take(pairSource)
  await pair.start()
  const heard: string[] = []
  const first = Promise.withResolvers<void>()
  const subscription = await pair.messages?.subscribe('topic', {
    message: ({ payload, from }) => {
      heard.push(`${from}: ${Buffer.from(payload).toString()}`)
      first.resolve()
      return 'accept'
    },
    gap: () => undefined
  })
  await pair['publishFromOther']?.('topic', new Uint8Array(Buffer.from('hello')))
  await first.promise
  await subscription?.close()
  expect(await pair['publishFromOther']?.('topic', new Uint8Array(1))).toEqual({ recipients: 0 })
  expect(heard).toEqual(['other: hello'])
  await pair.stop()
})

it('a process that dies rejects what waits for it, and is no silent loss', async () => {
  const rejected = Promise.withResolvers<unknown>()
  const kept = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.once('unhandledRejection', rejected.resolve)
  try {
    const waiting = backend.blocks?.get(block('never').cid)
    waiting?.catch(() => {})
    process.kill(pool.pidOf(backend) ?? Number.NaN, 'SIGKILL')
    expect(await rejected.promise).toMatchObject({ message: expect.stringContaining('ended by itself') })
    await expect(waiting).rejects.toMatchObject({ code: 'ENGINE', backend: 'memory' })
  } finally {
    for (const listener of kept) process.on('unhandledRejection', listener)
  }
})
