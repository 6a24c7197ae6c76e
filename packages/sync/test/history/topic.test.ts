import { json, text } from '@p2pl/core'
import type { Codec } from '@p2pl/core'
import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { topicWithHistory } from '../../src/history/index.ts'
import { memoryDatabase } from '../support/peers.ts'
import { parties, payloadsOf, take, takeMessages } from './support.ts'

test('a late subscriber gets what it missed as history, then what is announced', async () => {
  const [ann, ben] = await parties(2)
  // Long enough that no pause of a busy machine looks like absence: nothing is announced to nobody.
  const patient = { codec: text, beaconPeriod: 2_000 }
  const hers = await ann!.open(patient)
  const ids = [await hers.publish('one'), await hers.publish('two', { headers: { kind: 'late' } })].map(({ id }) => id)
  const his = await ben!.open(patient)
  const items = his.subscribe()
  const missed = await takeMessages(items, 2)
  expect(missed).toMatchObject([
    { payload: 'one', history: true, sender: ann!.peer.id, topic: 'test', clock: 1 },
    { payload: 'two', history: true, headers: { kind: 'late' }, clock: 2 }
  ])
  expect(missed.map(({ id }) => id)).toEqual(ids)
  await hers.view.agreed()
  await hers.publish('three')
  expect(await takeMessages(items, 1)).toMatchObject([{ payload: 'three', history: false }])
})

test('a subscriber that comes back with its cursor gets the rest once, over a restart of its store', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open({ codec: text })
  const first = await ben!.open({ codec: text })
  for (const one of ['1', '2', '3']) await hers.publish(one)
  const [, second] = await takeMessages(first.subscribe(), 2)
  const since = second!.cursor
  await first.close()
  await hers.publish('4')
  const again = await ben!.open({ codec: text })
  expect(await payloadsOf(again.subscribe({ since }), 2)).toEqual(['3', '4'])
  const items = again.subscribe({ since: 'now' })
  await hers.publish('5')
  expect(await payloadsOf(items, 1)).toEqual(['5'])
})

test('what came while the topic was cut off follows the gap as history', async () => {
  const [ann, ben, cleo] = await parties(3)
  const hers = await ann!.open({ codec: text })
  const his = await ben!.open({ codec: text })
  const others = (await cleo!.open({ codec: text })).subscribe()
  const items = his.subscribe()
  const states: string[] = []
  items.onState((state) => states.push(state))
  await items.joined
  await until('company', () => hers.view.status().agreeing.length > 0)
  await hers.publish('before')
  expect(await payloadsOf(items, 1)).toEqual(['before'])
  ben!.way.cut()
  expect(items.state).toBe('healing')
  await hers.publish('missed 1')
  await hers.publish('missed 2')
  expect(await payloadsOf(others, 3)).toEqual(['before', 'missed 1', 'missed 2'])
  ben!.way.mend(1234)
  const [gap] = await take(items, 1, 'all')
  expect(gap).toMatchObject({ type: 'gap', reason: 'disconnected', lasted: 1234, topic: 'test' })
  expect(await takeMessages(items, 2)).toMatchObject([
    { payload: 'missed 1', history: true },
    { payload: 'missed 2', history: true }
  ])
  await items.close()
  expect(states).toEqual(['live', 'healing', 'live', 'ended'])
})

test('a flood of gaps keeps no message from the reader', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open({ codec: text })
  const his = await ben!.open({ codec: text })
  for (let i = 0; i < 10; i++) await hers.publish(`${i}`)
  await until('all of it', () => his.view.count === 10)
  const items = his.subscribe()
  await items.joined
  const kinds: string[] = []
  for (let i = 0; i < 20; i++) {
    ben!.way.mend()
    await new Promise(setImmediate)
    const { value } = await items.next()
    kinds.push(value!.type)
  }
  expect(kinds.filter((kind) => kind === 'message')).toHaveLength(10)
})

test('own messages come with `echo` only, and in the order of the calls', async () => {
  const [ann] = await parties(1)
  const hers = await ann!.open({ codec: json })
  const silent = hers.subscribe()
  const large = 'x'.repeat(200_000)
  await Promise.all([large, ...Array.from({ length: 20 }, (_, i) => `${i}`)].map((value) => hers.publish(value)))
  const echoed = await payloadsOf(hers.subscribe({ echo: true }), 21)
  expect(echoed).toEqual([large, ...Array.from({ length: 20 }, (_, i) => `${i}`)])
  const next = silent.next()
  await silent.close()
  expect(await next).toEqual({ done: true, value: undefined })
})

test('a reader that stands still loses nothing: what waits for it is in the store', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open()
  const his = await ben!.open()
  const items = his.subscribe()
  const count = 5000
  for (let at = 0; at < count; at += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, i) => hers.publish(Uint8Array.of((at + i) >> 8, (at + i) & 255))))
  }
  await until('all of it', () => his.view.count === count)
  const numbers = (await takeMessages(items, count)).map(({ payload }) => payload[0]! * 256 + payload[1]!)
  expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i))
})

test('payloads that the codec does not take are gaps with an id, which `get` explains', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open()
  const his = await ben!.open({ codec: json })
  const { id } = await hers.publish(Uint8Array.of(0xff))
  await hers.publish(new TextEncoder().encode('{"right":true}'))
  const items = await take(his.subscribe(), 2)
  expect(items).toMatchObject([
    { type: 'gap', reason: 'undecodable', id, sender: ann!.peer.id, count: 1 },
    { type: 'message', payload: { right: true } }
  ])
  await expect(his.get(id)).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
  expect((await hers.get(id)).payload).toEqual(Uint8Array.of(0xff))
})

test('`validate` keeps what it refuses out of the topic of everybody who asks it', async () => {
  const [ann, ben, eve] = await parties(3)
  const validate = ({ sender }: { sender: string }) => (sender === eve!.peer.id ? 'invalid' : 'valid')
  const hers = await ann!.open({ codec: text, validate })
  const his = await ben!.open({ codec: text, validate })
  const strange = await eve!.open({ codec: text })
  await strange.publish('not wanted')
  await hers.publish('wanted')
  await his.view.agreed()
  expect(await payloadsOf(his.subscribe(), 1)).toEqual(['wanted'])
  expect([hers.view.count, his.view.count]).toEqual([1, 1])
  const open = await eve!.open({ codec: text, store: memoryDatabase(), topic: 'other', validate })
  await expect(open.publish('x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('ends: leaving the loop, close, a signal, the end of the topic, of its view and of the peer', async () => {
  const [ann] = await parties(1)
  const hers = await ann!.open({ codec: text })
  await hers.publish('one')
  const left = hers.subscribe({ echo: true })
  for await (const item of left) {
    expect(item).toMatchObject({ payload: 'one' })
    break
  }
  expect(left.state).toBe('ended')
  const controller = new AbortController()
  const aborted = hers.subscribe({ signal: controller.signal })
  const waiting = aborted.next()
  controller.abort()
  expect(await waiting).toEqual({ done: true, value: undefined })
  const closed = hers.subscribe()
  const other = closed.next()
  await hers.close()
  expect(await other).toEqual({ done: true, value: undefined })
  await expect(hers.publish('two')).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  expect(() => hers.subscribe()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }))
  const again = await ann!.open({ codec: text })
  const ended = again.subscribe().next()
  await again.view.stop()
  expect(await ended).toEqual({ done: true, value: undefined })
  const last = await ann!.open({ codec: text })
  const pending = last.subscribe().next()
  await ann!.peer.stop()
  expect(await pending).toEqual({ done: true, value: undefined })
})

test('mistakes are named with their fix', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open()
  const his = await ben!.open()
  await hers.publish(Uint8Array.of(1))
  const [item] = await take(hers.subscribe({ echo: true }), 1)
  const refused = (call: () => unknown, message: RegExp): void => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }))
  }
  refused(() => his.subscribe({ since: item!.cursor }), /another store.*leave since out/)
  const [store] = item!.cursor.split('.')
  refused(() => hers.subscribe({ since: `${store}.99` }), /later state/)
  for (const since of ['', 'later', `${store}.1.2`, `${store}.1.1-`, `${store}.-1`, 7 as never]) {
    refused(() => hers.subscribe({ since }), /since is the cursor of an item, or "now"/)
  }
  refused(() => hers.subscribe({ from: 1 } as never), /no option "from"/)
  refused(() => hers.subscribe({ echo: 'yes' as never }), /echo must be true or false/)
  const rejected = async (call: Promise<unknown>, message: RegExp, code = 'INVALID_ARGUMENT'): Promise<void> => {
    await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  }
  await rejected(hers.publish('text' as never), /a payload is a Uint8Array.*codec/)
  await rejected(hers.publish(Uint8Array.of(1), { headers: { '': 'x' } }), /headers are an object/)
  await rejected(hers.publish(Uint8Array.of(1), { headers: { half: '\ud83d' } }), /well-formed texts/)
  await rejected(hers.publish(Uint8Array.of(1), { header: {} } as never), /no option "header"/)
  await rejected(hers.publish(new Uint8Array(17 * 2 ** 20)), /maxPayloadBytes on every peer/, 'TOO_LARGE')
  await rejected(hers.get('not an id'), /which is a CID/)
  await rejected(hers.get('bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'), /no message/, 'NOT_FOUND')
  const codec = {
    name: 'slow',
    encode: async () => new Uint8Array(),
    decode: async () => 1
  } as unknown as Codec<number>
  const slow = await ann!.open({ codec, topic: 'slow', store: memoryDatabase() })
  await rejected(slow.publish(1), /must encode to a Uint8Array/)
  await rejected(topicWithHistory({ peer: ann!.peer, topic: 't', stor: '' } as never), /no option "stor"/)
  await rejected(ann!.open({ codec: {} as never }), /a codec is/)
})
