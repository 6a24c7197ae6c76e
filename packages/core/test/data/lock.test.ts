import { describe, expect, it } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { contextOf, settle, storeBackend } from './store-backend.ts'

async function collected(data: ReturnType<typeof createData>): Promise<number> {
  let count = 0
  for await (const _ of data.gc()) count++
  return count
}

describe('gc beside adds', () => {
  it('removes nothing that is being added, once or in a loop', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const added = new AbortController()
    const loop = (async () => {
      while (!added.signal.aborted) {
        await collected(data)
        await settle()
      }
    })()
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 40; i++) {
        await settle()
        yield new Uint8Array(1024 * 1024).fill(i)
      }
    }
    const { cid, size } = await data.add(source())
    added.abort()
    await loop
    expect((await data.bytes(cid)).byteLength).toBe(size)
  })

  it('waits for content that is stored in several calls', async () => {
    const backend = await storeBackend()
    const data = createData(contextOf(backend))
    const gate = Promise.withResolvers<void>()
    const root = data.protect(async () => {
      const { cid } = await data.add('part', { pin: false })
      await gate.promise
      await data.pin(cid)
      return cid
    })
    await settle()
    const gc = collected(data)
    await settle()
    gate.resolve()
    expect(await data.has(await root)).toBe(true)
    expect(await gc).toBe(0)
  })

  it('gives up when its signal fires, and an add after it goes on', async () => {
    const data = createData(contextOf(await storeBackend()))
    const never = new Promise<void>(() => undefined)
    void data.protect(() => never)
    const controller = new AbortController()
    const gc = expect(data.gc({ signal: controller.signal }).next()).rejects.toMatchObject({ code: 'ABORTED' })
    await settle()
    controller.abort()
    await gc
    await data.add('x')
  })
})

describe('one timeout', () => {
  it('counts for all of an add: store, pin and provide', async () => {
    const { ManualClock } = await import('./store-backend.ts')
    const clock = new ManualClock()
    const slow = async (): Promise<void> => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 80))
    }
    const backend = await storeBackend({
      routing: {
        provide: () => new Promise(() => undefined),
        unprovide: async () => undefined,
        findProviders: async function* () {}
      }
    })
    backend.onPut = slow
    const data = createData(contextOf(backend, { clock }))
    const added = expect(data.add('x', { until: 'provided', timeout: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    // Progress of the store renews it once; the record that nobody takes ends it.
    for (let i = 0; i < 20; i++) {
      await settle()
      clock.advance(10)
    }
    await added
  })
})
