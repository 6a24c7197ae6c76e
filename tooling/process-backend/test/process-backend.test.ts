import { createHash } from 'node:crypto'
import { isP2plError, type Block } from '@p2pl/core/backend'
import { memory } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProcessPool, type RemoteBackend } from '../src/index.ts'

const source = { module: import.meta.resolve('@p2pl/memory'), name: 'memory', args: [], of: memory() }
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
  await backend.blocks?.put(one)
  expect(await backend.blocks?.get(one.cid)).toEqual(one.bytes)
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

it('keeps what an error says, and gives the same error back that it took', async () => {
  const missing = backend.blocks?.get(block('missing').cid, { local: true })
  const error: unknown = await missing?.catch((reason: unknown) => reason)
  expect(isP2plError(error, 'NOT_FOUND')).toBe(true)
  expect(error).toMatchObject({ retryable: true, backend: 'memory', operation: 'blocks.get' })
  const reason = new Error('the source failed')
  const failing = async function* (): AsyncGenerator<Block, void, undefined> {
    yield block('first')
    throw reason
  }
  const failed: unknown = await backend.blocks?.putMany(failing()).catch((cause: unknown) => cause)
  expect((failed as Error).cause ?? failed).toBe(reason)
  await backend.stop()
  expect(() => backend.self()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
})

it('hands signals, iterables, subscribers and their verdicts across', async () => {
  const blocks = ['a', 'b', 'c'].map(block)
  await backend.blocks?.putMany(blocks)
  const removed: string[] = []
  for await (const cid of backend.blocks?.gc() ?? []) removed.push(cid.toString())
  expect(removed.toSorted()).toEqual(blocks.map(({ cid }) => cid.toString()).toSorted())

  const controller = new AbortController()
  const waiting = backend.blocks?.get(block('never').cid, { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  const error: unknown = await waiting?.catch((cause: unknown) => cause)
  expect(isP2plError(error)).toBe(true)
  const subscription = await backend.messages?.subscribe('topic', {
    message: () => {},
    gap: () => {},
    validate: () => 'reject'
  })
  await subscription?.close()
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
    await expect(waiting).rejects.toThrow()
  } finally {
    for (const listener of kept) process.on('unhandledRejection', listener)
  }
})
