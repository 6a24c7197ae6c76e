import { text } from '@p2pl/core'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../src/history/frame.ts'
import { maxOpen } from '../../src/history/subscription.ts'
import { parties, payloadsOf, take, takeMessages } from './support.ts'
import type { Party } from './support.ts'

const encoder = new TextEncoder()
const content = encoder.encode('x'.repeat(70_000))
const cid = CID.createV1(raw.code, await sha256.digest(content))

/** Appends a message whose large payload its sender does not have. */
async function claim(party: Party, size = content.length): Promise<string> {
  const opened = await party.open()
  const entry = await opened.view.append(encodeFrame({ headers: {}, content: { cid, size } }))
  await opened.close()
  return entry.cid.toString()
}

test.each([65_536, 70_000, 3_000_000])('a payload of %i bytes travels by CID', async (size) => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open()
  const his = await ben!.open()
  const payload = seededBytes(size, 2)
  await hers.publish(payload)
  const [message] = await takeMessages(his.subscribe(), 1)
  expect(message!.payload).toEqual(payload)
  const stat = await ben!.peer.data.stat(message!.cid!)
  expect(stat).toMatchObject({ kind: 'file', size })
  const pins: string[] = []
  for await (const pin of ann!.peer.data.pins()) pins.push(pin.cid.toString())
  expect(pins).toEqual([message!.cid!.toString()])
})

test('a payload that fits an entry travels inside', async () => {
  const [ann, ben] = await parties(2)
  const payload = seededBytes(65_000, 3)
  await (await ann!.open()).publish(payload)
  const [message] = await takeMessages((await ben!.open()).subscribe(), 1)
  expect(message).toMatchObject({ payload, cid: undefined })
})

test('messages wait for a large payload of their own sender only, also over a restart', async () => {
  const [ann, ben, cleo] = await parties(3)
  const claimed = await claim(ann!)
  const hers = await ann!.open({ codec: text })
  const his = await ben!.open({ codec: text })
  const first = await cleo!.open({ codec: text })
  const items = first.subscribe()
  await hers.publish('behind it')
  await his.view.agreed({ peers: 2 })
  await his.publish('another sender')
  const [other] = await takeMessages(items, 1)
  expect(other).toMatchObject({ payload: 'another sender' })
  await first.close()
  const again = await cleo!.open({ codec: text })
  await his.publish('later')
  const rest = again.subscribe({ since: other!.cursor })
  expect(await payloadsOf(rest, 1)).toEqual(['later'])
  await ann!.peer.data.add(content)
  const [late, behind] = await takeMessages(rest, 2)
  expect(late).toMatchObject({ id: claimed })
  expect(behind).toMatchObject({ payload: 'behind it', sender: ann!.peer.id })
  expect(behind!.cursor.split('.')).toHaveLength(2)
})

test('a payload that nobody gives in time is a gap, and can be asked for again', async () => {
  const [ann, ben] = await parties(2)
  const id = await claim(ann!)
  const hers = await ann!.open()
  const his = await ben!.open()
  await hers.publish(encoder.encode('behind it'))
  const items = await take(his.subscribe({ payloadTimeout: 50 }), 2)
  expect(items).toMatchObject([
    { type: 'gap', reason: 'unavailable', id, sender: ann!.peer.id, count: 1 },
    { type: 'message', payload: encoder.encode('behind it') }
  ])
  expect(await take(his.subscribe({ since: items[0]!.cursor }), 1)).toMatchObject(
    [items[1]!].map(({ id: same }) => ({ id: same }))
  )
  await expect(his.get(id, { timeout: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  await ann!.peer.data.add(content)
  expect(await his.get(id)).toMatchObject({ payload: content, sender: ann!.peer.id, cid })
})

test.each([
  ['larger than it was said', 69_999],
  ['smaller than it was said', 70_001]
])('a payload that is %s is given up at once', async (_, size) => {
  const [ann, ben] = await parties(2)
  await ann!.peer.data.add(content)
  const id = await claim(ann!, size)
  await ann!.open()
  expect(await take((await ben!.open()).subscribe(), 1)).toMatchObject([{ type: 'gap', reason: 'unavailable', id }])
})

test('a payload over `maxPayloadBytes` is not fetched', async () => {
  const [ann, ben] = await parties(2)
  const id = await claim(ann!, 2 ** 52)
  const hers = await ann!.open()
  await hers.publish(encoder.encode('too long'))
  const items = await take((await ben!.open({ maxPayloadBytes: 3 })).subscribe(), 2)
  expect(items).toMatchObject([
    { type: 'gap', reason: 'oversized', id },
    { type: 'gap', reason: 'oversized' }
  ])
})

test('a sender with thousands of payloads that nobody has holds up itself and costs bounded memory', async () => {
  const [ann, ben] = await parties(2)
  const hers = await ann!.open()
  const his = await ben!.open()
  const waiting = maxOpen + 500
  for (let i = 0; i < waiting; i++) {
    const digest = await sha256.digest(Uint8Array.of(i >> 8, i & 255))
    const claimed = { cid: CID.createV1(raw.code, digest), size: 70_000 }
    void hers.view.append(encodeFrame({ headers: {}, content: claimed }))
  }
  const items = his.subscribe()
  await until('all of it', () => his.view.count === waiting)
  await his.publish(encoder.encode('own'))
  const own = his.subscribe({ echo: true })
  const taken = await take(own, 501)
  expect(taken.slice(0, 500).every((item) => item.type === 'gap' && item.reason === 'unavailable')).toBe(true)
  expect(taken[500]).toMatchObject({ payload: encoder.encode('own') })
  await items.close()
  // The cursor names ranges, and is taken back.
  expect(taken[500]!.cursor.length).toBeLessThan(100)
  expect(() => his.subscribe({ since: taken[500]!.cursor })).not.toThrow()
})
