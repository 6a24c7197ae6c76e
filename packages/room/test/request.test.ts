import { P2plError } from '@p2pl/core'
import { until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { rooms } from './support/rooms.ts'

describe('requests', () => {
  it('are answered by the peer that was asked', async () => {
    await using all = await rooms(3)
    const [ann, ben, cleo] = all
    ben!.room.onRequest((payload, { sender }) => ['ben', payload, sender])
    cleo!.room.onRequest(async (payload) => ['cleo', payload])
    expect(await ann!.room.request(ben!.peer.id, 1)).toEqual(['ben', 1, ann!.peer.id])
    expect(await ann!.room.request(cleo!.peer.id, 2)).toEqual(['cleo', 2])
  })

  it('may be many at a time, and large in both directions', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    ben!.room.onRequest((payload) => payload)
    const numbers = Array.from({ length: 60 }, (_, i) => i)
    expect(await Promise.all(numbers.map(async (n) => await ann!.room.request(ben!.peer.id, n)))).toEqual(numbers)
    const large = 'x'.repeat(300_000)
    expect(await ann!.room.request(ben!.peer.id, large)).toBe(large)
  })

  it('say why they have no answer', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    const ask = async (timeout = 30_000): Promise<unknown> => await ann!.room.request(ben!.peer.id, 1, { timeout })
    await expect(ask()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(ann!.room.request('nobody', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(ann!.room.request(ben!.peer.id, 1, { timeout: -1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })

    let remove = ben!.room.onRequest(() => {
      throw new Error('a detail of ben alone')
    })
    expect(() => ben!.room.onRequest(() => 1)).toThrow(/a handler already/)
    const failed = await ask().catch((error: P2plError) => error)
    expect(failed).toMatchObject({ code: 'PROTOCOL', message: expect.not.stringContaining('detail') as string })
    await until('ben is told', () => ben!.events.some(({ type }) => type === 'warning'))
    remove()

    remove = ben!.room.onRequest(() => {
      throw new P2plError({ code: 'NOT_FOUND', message: 'there is no drill' })
    })
    await expect(ask()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no drill') as string
    })
    remove()

    ben!.room.onRequest(async () => await new Promise(() => undefined))
    await expect(ask(100)).rejects.toMatchObject({ code: 'TIMEOUT' })
    const signal = AbortSignal.timeout(50)
    await expect(ann!.room.request(ben!.peer.id, 1, { signal })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('end when either side leaves', async () => {
    await using all = await rooms(3)
    const [ann, ben, cleo] = all
    const signals: AbortSignal[] = []
    for (const each of [ben!, cleo!]) {
      each.room.onRequest(async (_, { signal }) => {
        signals.push(signal)
        return await new Promise(() => undefined)
      })
    }
    const toBen = ann!.room.request(ben!.peer.id, 1)
    const toCleo = ann!.room.request(cleo!.peer.id, 1)
    await until('both work', () => signals.length === 2)
    await Promise.all([expect(toBen).rejects.toMatchObject({ code: 'UNREACHABLE' }), ben!.room.leave()])
    await Promise.all([expect(toCleo).rejects.toMatchObject({ code: 'NOT_RUNNING' }), ann!.room.leave()])
    await until('both were told', () => signals.every(({ aborted }) => aborted))
  })
})
