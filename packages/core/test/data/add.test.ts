import { seededBytes } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { createBlocks } from '../../src/data/blocks.ts'
import { createData } from '../../src/data/data.ts'
import { P2plError } from '../../src/errors.ts'
import type { Backend } from '../../src/port/backend.ts'
import type { Progress } from '../../src/port/common.ts'
import { contextOf, ManualClock, settle, storeBackend } from './store-backend.ts'
import { codeOf, mebibyte, never, text } from './support.ts'

describe('data.add', () => {
  it('gives the CIDs of the profile, pins the root last, and reports progress', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    expect((await data.add(new Uint8Array(0))).cid.toString()).toBe(
      'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    )
    expect((await data.add(text('hello'))).cid.toString()).toBe(
      'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'
    )
    const progress: Progress[] = []
    const bytes = seededBytes(3 * mebibyte + 5, 1)
    const { cid, size } = await data.add(bytes, { onProgress: (at) => progress.push(at) })
    expect(size).toBe(bytes.byteLength)
    expect(progress.at(-1)).toEqual({ bytes: bytes.byteLength, total: bytes.byteLength, blocks: 5 })
    expect([...backend.pinned.values()].map((pin) => pin.cid.toString())).toContain(cid.toString())
    expect(Buffer.compare(await data.bytes(cid), bytes)).toBe(0)
    const unpinned = await data.add(text('not pinned'), { pin: false })
    expect([...backend.pinned.values()].some((pin) => pin.cid.equals(unpinned.cid))).toBe(false)
  })

  it('hands on what a source throws, tells a source it stops early, and pins nothing then', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const broken = new Error('unplugged')
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield seededBytes(2 * mebibyte, 1)
      throw broken
    }
    await expect(data.add(failing())).rejects.toBe(broken)
    let cancelled: unknown
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(mebibyte))
      },
      cancel: (reason) => {
        cancelled = reason ?? 'cancelled'
      }
    })
    backend.onPut = async () => {
      throw new P2plError({ code: 'STORAGE', message: 'full' })
    }
    expect(await codeOf(data.add(stream))).toBe('STORAGE')
    await settle()
    expect(cancelled).toBe('cancelled')
    expect(backend.pinned.size).toBe(0)
    for (const source of [5, null, [1, 2], {}, [text('a'), 'b']]) {
      expect(await codeOf(data.add(source as never))).toBe('INVALID_ARGUMENT')
    }
  })

  it('ends with the caller’s signal, also while the source or the store never answers', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    expect(await codeOf(data.add(text('x'), { signal: AbortSignal.abort() }))).toBe('ABORTED')
    expect(backend.puts).toBe(0)
    const silent: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: never }) }
    const controller = new AbortController()
    const slow = codeOf(data.add(silent, { signal: controller.signal }))
    const stuck = await storeBackend()
    stuck.onPut = never
    const put = codeOf(createData(contextOf(stuck)).add(text('x'), { signal: controller.signal }))
    await settle()
    controller.abort()
    expect(await slow).toBe('ABORTED')
    expect(await put).toBe('ABORTED')
  })

  it('has a timeout that counts from the last progress', async () => {
    const clock = new ManualClock()
    const data = createData(contextOf(await storeBackend(), { clock, timeouts: { put: 100 } }))
    let give: (() => void) | undefined
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 5; i++) {
        await new Promise<void>((resolve) => (give = resolve))
        yield text(String(i))
      }
    }
    const work = data.add(source())
    for (let i = 0; i < 5; i++) {
      await settle()
      clock.advance(99)
      give?.()
    }
    expect((await work).size).toBe(5)
    expect(clock.pending).toBe(0)
    const late = codeOf(data.add(source()))
    await settle()
    clock.advance(100)
    expect(await late).toBe('TIMEOUT')
  })

  it('refuses what the backend declares as none, before any work', async () => {
    const bare = await storeBackend({ blocks: { pins: 'none', gc: 'none' } })
    const data = createData(contextOf(bare))
    expect(await codeOf(data.add(text('x'), { pin: true }))).toBe('UNSUPPORTED')
    expect(await codeOf(data.add(text('x'), { until: 'provided' }))).toBe('UNSUPPORTED')
    expect(await codeOf(data.add(text('x'), { provide: true }))).toBe('UNSUPPORTED')
    expect(await codeOf(data.add(text('x'), { until: 'soon' as 'local' }))).toBe('INVALID_ARGUMENT')
    expect(bare.puts).toBe(0)
    expect(await codeOf(data.add(text('x')))).toBe('no error')
    expect(bare.pinned.size).toBe(0)
    expect(await codeOf(data.pin('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'))).toBe('UNSUPPORTED')
    expect(await codeOf(data.gc().next())).toBe('UNSUPPORTED')
    expect(await codeOf(data.pins().next())).toBe('UNSUPPORTED')
    const none: Backend = {
      name: 'bare',
      capabilities: {},
      start: async () => undefined,
      stop: async () => undefined,
      self: () => [{ network: 'bare', id: 'bare', addresses: [] }]
    }
    const nothing = createData(contextOf(none))
    const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
    const calls = [
      nothing.add(text('x')),
      nothing.bytes(cid),
      nothing.stat(cid),
      nothing.has(cid),
      nothing.pin(cid),
      nothing.provide(cid),
      nothing.unprovide(cid),
      nothing.findProviders(cid).next(),
      createBlocks(contextOf(none)).get(cid),
      createBlocks(contextOf(none)).put(text('x'))
    ]
    for (const call of calls) expect(await codeOf(call)).toBe('UNSUPPORTED')
  })

  it('many at once give what each gives alone', async () => {
    const data = createData(contextOf(await storeBackend()))
    const sizes = Array.from({ length: 24 }, (_, i) => i * 100_000)
    const together = await Promise.all(sizes.map((size) => data.add(seededBytes(size, size + 1))))
    for (const [i, size] of sizes.entries()) {
      const cid = together[i]?.cid as CID
      expect(Buffer.compare(await data.bytes(cid), seededBytes(size, size + 1))).toBe(0)
    }
  })

  it('a foreign error of a backend becomes a typed one', async () => {
    const backend = await storeBackend()
    const cause = new TypeError('engine bug')
    backend.onPut = async () => {
      throw cause
    }
    await expect(createData(contextOf(backend)).add(text('x'))).rejects.toMatchObject({
      code: 'ENGINE',
      backend: 'store',
      cause
    })
  })
})
