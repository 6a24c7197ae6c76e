import { createPeer, type P2plError, text } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { joinRoom } from '../src/index.ts'
import { enter, everybody, payloads, rooms } from './support/rooms.ts'

describe('presence', () => {
  it('shows who is here, with names, and by the ids that sign', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { name: 'Ann' })
    await using ben = await enter(network, { name: 'Ben' })
    await everybody(ann, ben)
    expect([...ann.room.peers.values()]).toEqual([{ id: ben.peer.id, name: 'Ben', account: undefined }])
    expect([...ben.room.peers.values()]).toEqual([{ id: ann.peer.id, name: 'Ann', account: undefined }])
    expect(ann.events.filter(({ type }) => type === 'join')).toHaveLength(1)
  })

  it('tells of a peer that leaves at once, and of one that changes its name', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network)
    await using ben = await enter(network, { beat: 60_000 })
    await everybody(ann, ben)
    await ben.room.rename('Benedict')
    await until('the new name is there', () => ann.room.peers.get(ben.peer.id)?.name === 'Benedict')
    await ben.room.leave()
    await until('ben has left', () => ann.room.peers.size === 0)
    expect(ann.events.map(({ type }) => type)).toEqual(['join', 'change', 'leave'])
  })

  it('takes nobody for gone because its own process stood still', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    ben!.room.onRequest((payload) => payload)
    // For more than three beats.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500)
    // Timers that became due meanwhile fire first.
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(await ann!.room.request(ben!.peer.id, 'still here')).toBe('still here')
    for (const { events } of all) expect(events.map(({ type }) => type)).toEqual(['join'])
  })

  it('lets a peer come again', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network)
    await using peer = await createPeer({ backend: memory({ network }) })
    for (const _ of [1, 2]) {
      const room = await joinRoom(peer, 'tool-library')
      await everybody(ann, { room })
      await room.leave()
      await until('it has left', () => ann.room.peers.size === 0)
    }
    expect(ann.events.map(({ type }) => type)).toEqual(['join', 'leave', 'join', 'leave'])
  })

  it('shows no more peers than maxPeers, and says that the room is full', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { maxPeers: 1 })
    await using ben = await enter(network)
    await everybody(ann, ben)
    await using cleo = await enter(network)
    await until('the room is full', () => ann.events.some((event) => event.type === 'gap' && event.reason === 'full'))
    expect([...ann.room.peers.keys()]).toEqual([ben.peer.id])
    await everybody(ben, cleo)
  })

  it('keeps rooms apart', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, {}, 'a')
    await using ben = await enter(network, {}, 'b')
    await using cleo = await enter(network, {}, 'b')
    await everybody(ben, cleo)
    expect(ann.room.peers.size).toBe(0)
  })
})

describe('messages', () => {
  it('reach everybody else, in order', async () => {
    await using all = await rooms(3)
    const [ann, ben, cleo] = all
    for (let i = 0; i < 50; i++) await ann!.room.send(i)
    await until('both have all', () => [ben!, cleo!].every(({ heard }) => heard.length === 50))
    for (const each of [ben!, cleo!]) expect(payloads(each)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(ann!.heard).toEqual([])
    expect(ben!.heard[0]).toMatchObject({ sender: ann!.peer.id, direct: false, history: false, channel: '' })
    expect(ben!.heard[0]?.id).toBe(cleo!.heard[0]?.id)
  })

  it('are not lost when they are sent before the others know the sender', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network)
    await using ben = await enter(network)
    await ben.room.send('hello')
    await until('ann has it', () => ann.heard.length === 1)
  })

  it('wait for the first listener', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network)
    await using ben = await enter(network)
    await everybody(ann, ben)
    await ben.room.channel('later').send('early')
    await ben.room.send('done')
    await until('both are there', () => ann.heard.length === 1)
    const heard: unknown[] = []
    ann.room.channel('later').onMessage(({ payload }) => heard.push(payload))
    expect(heard).toEqual(['early'])
  })

  it('to one peer reach that one alone', async () => {
    await using all = await rooms(3)
    const [ann, ben, cleo] = all
    await ann!.room.send('for ben', { to: ben!.peer.id })
    await ann!.room.send('for all')
    await until('both have theirs', () => ben!.heard.length === 2 && cleo!.heard.length === 1)
    expect(ben!.heard.map(({ payload, direct }) => [payload, direct])).toEqual([
      ['for ben', true],
      ['for all', false]
    ])
    await expect(ann!.room.send('x', { to: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('go through typed channels', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    const moves = ben!.room.channel('moves', { codec: text })
    const heard: string[] = []
    moves.onMessage(({ payload, channel }) => heard.push(`${channel}: ${payload}`))
    await ann!.room.channel('moves', { codec: text }).send('e4')
    await until('it is there', () => heard.length > 0)
    expect([heard, ben!.heard]).toEqual([['moves: e4'], []])
    expect(ben!.room.channel('moves')).toBe(moves)
    expect(() => ben!.room.channel('moves', { codec: { ...text, name: 'other' } })).toThrow(/has the codec text/)
  })

  it('that cannot be decoded are a gap', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    await ann!.room.channel('x', { codec: text }).send('{')
    ben!.room.channel('x').onMessage(() => undefined)
    await until('the gap is told', () => ben!.events.find((event) => event.type === 'gap'))
    expect(ben!.events.find(({ type }) => type === 'gap')).toMatchObject({
      reason: 'undecodable',
      sender: ann!.peer.id
    })
  })

  it('end with leave', async () => {
    await using all = await rooms(2)
    const [ann, ben] = all
    await ann!.room.leave()
    await ann!.room.leave()
    for (const call of [ann!.room.send(1), ann!.room.request(ben!.peer.id, 1), ann!.room.rename('x')]) {
      await expect(call).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    }
  })

  it('end with the peer', async () => {
    await using all = await rooms(2)
    const [ann] = all
    await ann!.peer.stop()
    await until('the room has ended', async () => {
      const error = await ann!.room.send(1).catch((thrown: P2plError) => thrown)
      return (error as P2plError | undefined)?.code === 'NOT_RUNNING'
    })
  })
})

describe('large payloads', () => {
  const bytes = { name: 'bytes', encode: (value: Uint8Array) => value, decode: (value: Uint8Array) => value }

  it('arrive whole, with progress on both sides', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { codec: bytes })
    await using ben = await enter(network, { codec: bytes })
    await everybody(ann, ben)
    const large = new Uint8Array(3_000_000).fill(7)
    await ann.room.send(large)
    await ann.room.send(large.subarray(0, 100_000), { to: ben.peer.id })
    await until('both are there', () => ben.heard.length === 2)
    const sizes = payloads(ben).map(({ byteLength }) => byteLength)
    expect(new Set(sizes)).toEqual(new Set([100_000, 3_000_000]))
    expect(payloads(ben).every((each) => each.every((byte) => byte === 7))).toBe(true)
    for (const [{ events }, direction] of [
      [ann, 'out'],
      [ben, 'in']
    ] as const) {
      const last = events.findLast((event) => event.type === 'progress' && event.total === 3_000_000)
      expect(last).toMatchObject({ direction, bytes: 3_000_000, sender: ann.peer.id })
    }
  })

  it('over maxPayloadBytes are refused by the sender, and a gap at a receiver that takes less', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { codec: bytes, maxPayloadBytes: 200_000 })
    await using ben = await enter(network, { codec: bytes, maxPayloadBytes: 100_000 })
    await everybody(ann, ben)
    await expect(ann.room.send(new Uint8Array(200_001))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await ann.room.send(new Uint8Array(150_000))
    await until('the gap is told', () => ben.events.some((event) => event.type === 'gap'))
    expect(ben.events.find(({ type }) => type === 'gap')).toMatchObject({ reason: 'unavailable', sender: ann.peer.id })
  })
})

describe('wrong arguments', () => {
  it.each([
    [{ name: '' }],
    [{ name: 'x'.repeat(65) }],
    [{ history: -1 }],
    [{ history: 1.5 }],
    [{ beat: 10 }],
    [{ maxPeers: 0 }],
    [{ secret: 'short' }],
    [{ secret: new Uint8Array(31) }],
    [{ secret: 'p2pl-secret-abc' }],
    [{ secrets: 'typo' } as never]
  ])('are refused: %j', async (options) => {
    await using peer = await createPeer({ backend: memory() })
    await expect(joinRoom(peer, 'x', options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('are refused in the name of a room or channel', async () => {
    await using peer = await createPeer({ backend: memory() })
    await expect(joinRoom(peer, '')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await using room = await joinRoom(peer, 'x')
    for (const name of ['', '\0history', 'x'.repeat(65)]) expect(() => room.channel(name)).toThrow(/channel/)
    await expect(joinRoom(peer, 'x')).rejects.toThrow(/in that room already/)
  })

  it('do not keep a room from being joined with right ones, nor does an aborted call', async () => {
    await using peer = await createPeer({ backend: memory() })
    await expect(joinRoom(peer, 'x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    const controller = new AbortController()
    const room = await joinRoom(peer, 'x', { signal: controller.signal })
    controller.abort()
    await expect(room.send(1)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await room.leave()
    await using again = await joinRoom(peer, 'x')
    expect(again.peers.size).toBe(0)
  })
})
