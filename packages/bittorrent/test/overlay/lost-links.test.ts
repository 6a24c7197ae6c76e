import { once } from 'node:events'
import { bytesKey } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { encodeMessage, headLength, keyLength, messageIdLength, messageIdOf } from '../../src/overlay/gossip/message.ts'
import type { Identity } from '../../src/overlay/identity.ts'
import { topicKey } from '../../src/overlay/keys.ts'
import { frame } from '../../src/overlay/links/frames.ts'
import { fixedParts } from '../../src/tools/bytes.ts'
import { ascii, newIdentity, portOf, stranger as openStranger, type Stranger } from '../strangers.ts'
import { hears, link, selfOf } from '../support.ts'

const topic = 'lost links'
const key = topicKey(topic)
const [left, joined, rejoined] = [0, 1, 2].map((entry) => Uint8Array.of(entry)) as [Uint8Array, Uint8Array, Uint8Array]
const strangers: Stranger[] = []
let victim: BittorrentBackend
let friend: BittorrentBackend
const heard: string[] = []

beforeEach(async () => {
  heard.length = 0
  victim = bittorrent({ dht: false })
  friend = bittorrent({ dht: false })
  await Promise.all([victim.start(), friend.start()])
  await victim.messages.subscribe(
    topic,
    hears((text) => void heard.push(text))
  )
  await friend.messages.subscribe(topic, hears())
  await link([victim, friend])
  await until('they have met', async () => (await victim.messages.peers(topic))?.length === 1)
})

afterEach(async () => {
  for (const each of strangers.splice(0)) each.destroy()
  await Promise.all([victim.stop(), friend.stop()])
})

async function stranger(identity: Identity): Promise<Stranger> {
  const own = await openStranger(portOf(victim), { identity })
  strangers.push(own)
  return own
}

const inTopic = async ({ identity }: Stranger): Promise<boolean> =>
  (await victim.messages.peers(topic))?.some(({ id }) => id === identity.id) ?? false

/** A stranger that was in the topic, and whose link is gone. */
async function gone(identity: Identity): Promise<void> {
  const own = await stranger(identity)
  own.send(frame.topics, joined, key)
  await until('it is in the topic', async () => await inTopic(own))
  own.destroy()
  await until('the victim knows that it is gone', async () => !(await inTopic(own)))
}

async function publish(text: string): Promise<void> {
  expect(await victim.messages.publish(topic, ascii(text))).not.toEqual({ recipients: 0 })
}

/** The ids that were told to it, in order. */
const told = ({ heard: frames }: Stranger): string[] =>
  frames
    .filter(({ kind }) => kind === frame.have)
    .flatMap(({ body }) => [...fixedParts(body.subarray(keyLength), messageIdLength)].map(bytesKey))

/** The messages that it was given, by id. */
const given = ({ heard: frames }: Stranger): Map<string, string> =>
  new Map(
    frames
      .filter(({ kind }) => kind === frame.message)
      .map(({ body }) => [bytesKey(messageIdOf(body)), Buffer.from(body.subarray(headLength)).toString()])
  )

/** What it was told of, as texts: it asks for all of it. */
async function toldTexts(own: Stranger): Promise<(string | undefined)[]> {
  // From now on it is told of new messages, too: behind the older ones, in the same frames.
  own.send(frame.prune, key, Buffer.from(selfOf(victim).id, 'hex'))
  const before = told(own).length
  await until('it is told of a new message', async () => {
    await publish('new')
    return told(own).length > before
  })
  const ids = told(own)
  own.send(frame.want, key, Buffer.from(ids.join(''), 'latin1'))
  await until('it is given everything', () => ids.every((id) => given(own).has(id)))
  return ids.map((id) => given(own).get(id))
}

it('a peer that is back is told of what it missed, and given what it asks for', async () => {
  const identity = newIdentity()
  await gone(identity)
  await publish('missed')
  const back = await stranger(identity)
  back.send(frame.topics, rejoined, key)
  await until('it is told', () => told(back).length === 1)
  back.send(frame.want, key, Buffer.from(told(back)[0] as string, 'latin1'))
  await until('it is given the message', () => [...given(back).values()].includes('missed'))
})

it.each([
  ['that was never linked', false, rejoined],
  ['that is back, and joins anew', true, joined]
])('a peer %s is told of no older message', async (_, known, entry) => {
  const identity = newIdentity()
  if (known) await gone(identity)
  await publish('older')
  const own = await stranger(identity)
  own.send(frame.topics, entry, key)
  await until('it is in the topic', async () => await inTopic(own))
  expect(new Set(await toldTexts(own))).toEqual(new Set(['new']))
})

it('a peer that comes back again and again is told three times, and once on each link', async () => {
  const identity = newIdentity()
  await gone(identity)
  await publish('missed')
  const counts: number[] = []
  for (let i = 0; i < 5; i++) {
    const own = await stranger(identity)
    own.send(frame.topics, rejoined, key)
    await until('it is in the topic', async () => await inTopic(own))
    await toldTexts(own)
    for (let j = 0; j < 20; j++) own.send(frame.topics, left, key, rejoined, key)
    counts.push((await toldTexts(own)).filter((text) => text === 'missed').length)
    own.destroy()
    await until('the victim knows that it is gone', async () => !(await inTopic(own)))
  }
  expect(counts).toEqual([1, 1, 1, 0, 0])
})

it('a message that a peer told of is asked for on the link that replaced its former one', async () => {
  const identity = newIdentity()
  const former = await stranger(identity)
  former.send(frame.topics, joined, key)
  await until('it is in the topic', async () => await inTopic(former))
  const message = encodeMessage(key, identity.peerId, ascii('from the stranger'))
  former.send(frame.have, key, messageIdOf(message))
  const late = await stranger(identity)
  late.onFrame = ({ kind }) => {
    if (kind === frame.want) late.send(frame.message, message)
  }
  late.send(frame.topics, joined, key)
  await until('the message is there', () => heard.includes('from the stranger'))
})

it('what was under way on a link when another one replaced it arrives', async () => {
  const identity = newIdentity()
  const former = await stranger(identity)
  const { socket } = former
  socket.allowHalfOpen = true
  const ended = once(socket, 'end')
  await stranger(identity)
  await ended
  // As if it had been sent before the end of the former link came here.
  former.send(frame.message, encodeMessage(key, identity.peerId, ascii('under way')))
  socket.end()
  await until('the message is there', () => heard.includes('under way'))
  await until('the former link ends', () => former.closed)
})

it('a question that was asked on a link which another one replaces is asked on that one, too', async () => {
  const identity = newIdentity()
  await stranger(identity)
  const { links, queries } = (victim.engine as Engine).overlay
  const former = links.get(identity.id)
  if (former === undefined) throw new Error('it is linked')
  const answer = queries.provides(former, new Uint8Array(20), AbortSignal.timeout(90_000))
  const late = await stranger(identity)
  const asked = await until('it is asked', () => late.heard.find(({ kind }) => kind === frame.provides))
  late.send(frame.provided, asked.body.subarray(0, 4), Uint8Array.of(1))
  expect(await answer).toBe(true)
})

it('what was told on a link that was replaced at once is told again', async () => {
  const identity = newIdentity()
  await gone(identity)
  await publish('missed')
  const early = await stranger(identity)
  early.send(frame.topics, rejoined, key)
  await until('it is in the topic', async () => await inTopic(early))
  const late = await stranger(identity)
  late.send(frame.topics, rejoined, key)
  await until('it is told on the newer link', () => told(late).length === 1)
})
