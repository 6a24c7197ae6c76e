import { createHash } from 'node:crypto'
import { bytesKey, concatBytes } from '@p2pl/core/backend'
import { until, Watchdog } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { encodeMessage, headLength, messageIdOf } from '../../src/overlay/gossip/message.ts'
import { Missing } from '../../src/overlay/gossip/missing.ts'
import { topicKey } from '../../src/overlay/keys.ts'
import { frame, type Frames } from '../../src/overlay/links/frames.ts'
import type { Link } from '../../src/overlay/links/link.ts'
import { Liveness } from '../../src/overlay/links/liveness.ts'
import { hexOf, uint32 } from '../../src/tools/bytes.ts'
import { ascii, frameBytes, portOf, stranger, type Stranger } from '../strangers.ts'
import { hears, link } from '../support.ts'

const running = new Set<BittorrentBackend>()
const strangers: Stranger[] = []

async function started(): Promise<BittorrentBackend> {
  const backend = bittorrent()
  running.add(backend)
  await backend.start()
  return backend
}

afterEach(async () => {
  for (const each of strangers.splice(0)) each.destroy()
  await Promise.all([...running].map(async (backend) => await backend.stop()))
  running.clear()
})

/** A peer of the topic that the test speaks for. */
async function strangerIn(topic: string, victim: BittorrentBackend): Promise<Stranger> {
  const own = await stranger(portOf(victim))
  strangers.push(own)
  own.send(frame.topics, Uint8Array.of(1), topicKey(topic))
  const { id } = own.identity
  await until('it is in the topic', async () => (await victim.messages.peers(topic))?.some((peer) => peer.id === id))
  return own
}

it('the id of a message is that of all its bytes', () => {
  const key = topicKey('ids')
  const origin = new Uint8Array(20).fill(1)
  const body = encodeMessage(key, origin, ascii('hello'))
  expect(hexOf(messageIdOf(body))).toHaveLength(32)
  expect(encodeMessage(key, origin, ascii('hello'))).not.toEqual(body)
  for (let at = 0; at < body.byteLength; at += 7) {
    const other = new Uint8Array(body)
    other[at] = (other[at] ?? 0) ^ 1
    expect(hexOf(messageIdOf(other))).not.toBe(hexOf(messageIdOf(body)))
  }
})

it('nobody can take the place of a message that it has heard of', async () => {
  const topic = 'stolen'
  const [victim, friend] = [await started(), await started()]
  await link([victim, friend])
  const heard = new Set<string>()
  await victim.messages.subscribe(
    topic,
    hears((text) => void heard.add(text))
  )
  await friend.messages.subscribe(topic, hears())
  await until('they have met', async () => (await friend.messages.peers(topic))?.length === 1)
  // It hears from the friend first, and tells the victim something else under the same head, before and after.
  const [ear, mouth] = [await strangerIn(topic, friend), await strangerIn(topic, victim)]
  ear.onFrame = ({ kind, body }) => {
    if (kind === frame.message) mouth.send(frame.message, body.subarray(0, headLength), ascii('forged'))
    if (kind === frame.have) mouth.send(frame.have, body)
  }
  const sent: string[] = []
  for (let i = 0; i < 300; i++) {
    sent.push(`true ${i}`)
    await friend.messages.publish(topic, ascii(`true ${i}`))
  }
  await until('every true message is there', () => sent.every((each) => heard.has(each)))
})

it('one peer that names many ids leaves room for the ids of others', async () => {
  const wanted: string[] = []
  const asked = {
    send: (_kind: number, _key: Uint8Array, ids: Uint8Array) => {
      for (let at = 0; at < ids.byteLength; at += 16) wanted.push(bytesKey(ids.subarray(at, at + 16)))
    }
  } as unknown as Link
  const missing = new Missing(topicKey('x'), () => asked)
  const id = (i: number): Uint8Array => concatBytes(uint32(i), new Uint8Array(12))
  for (let i = 0; i < 20_000; i++) missing.offered('hostile', bytesKey(id(i)), id(i))
  missing.offered('honest', bytesKey(id(99_999)), id(99_999))
  await until('the honest one is asked', () => wanted.includes(bytesKey(id(99_999))))
  expect(new Set(wanted).size).toBeLessThan(3_000)
  missing.stop()
})

it('a flood of refused messages costs the sender its place, and the others nothing', async () => {
  const topic = 'garbage'
  const [victim, friend] = [await started(), await started()]
  await link([victim, friend])
  const heard: string[] = []
  await victim.messages.subscribe(topic, {
    message: ({ payload }) => {
      if (payload[0] === 0) return 'reject'
      heard.push(Buffer.from(payload).toString())
      return 'accept'
    },
    gap: () => void heard.push('gap')
  })
  await until('they have met', async () => (await friend.messages.publish(topic, ascii('first')))?.recipients === 1)
  await until('the first message is there', () => heard.length > 0)
  const flooder = await strangerIn(topic, victim)
  const watchdog = new Watchdog()
  const key = topicKey(topic)
  for (let i = 0; i < 5_000 && !flooder.closed; i++)
    flooder.send(frame.message, encodeMessage(key, flooder.identity.peerId, concatBytes(Uint8Array.of(0), uint32(i))))
  await until('it is cut off', () => flooder.closed)
  expect(watchdog.stop()).toBeLessThan(1_000)
  await expect(stranger(portOf(victim), { identity: flooder.identity })).rejects.toThrow('hung up')
  await friend.messages.publish(topic, ascii('second'))
  await until('the friend is heard', () => heard.includes('second'))
  expect(heard).not.toContain('gap')
})

it('a link whose messages wait for their turn is not silent: none of them is lost', async () => {
  const topic = 'behind'
  const victim = await started()
  const { overlay } = victim.engine as Engine
  const frames = { on: () => {} } as unknown as Frames
  const liveness = new Liveness(overlay.links, frames)
  const count = 50
  let handled = 0
  await victim.messages.subscribe(topic, {
    message: () => {
      handled++
      // As when each message takes a second.
      liveness.look()
      return 'accept'
    },
    gap: () => {}
  })
  const { identity, socket } = await strangerIn(topic, victim)
  const key = topicKey(topic)
  const messages = Array.from({ length: count }, (_, i) =>
    frameBytes(frame.message, encodeMessage(key, identity.peerId, uint32(i)))
  )
  socket.write(concatBytes(...messages))
  await until('all of them are handled', () => handled === count)
  for (let look = 0; look < 10; look++) liveness.look()
  expect(overlay.links.all()).toEqual([])
})

it('a flood of good messages leaves others their turn', async () => {
  const topic = 'flood'
  const [victim, friend] = [await started(), await started()]
  await link([victim, friend])
  let flooded = 0
  let before: number | undefined
  const work = new Uint8Array(200_000)
  await victim.messages.subscribe(topic, {
    message: ({ payload }) => {
      // As long as a signature takes.
      createHash('sha256').update(work).digest()
      if (payload.byteLength === 3) before = flooded
      else flooded++
      return 'accept'
    },
    gap: () => {}
  })
  await until('they have met', async () => (await friend.messages.peers(topic))?.length === 1)
  const flooders = await Promise.all([1, 2, 3].map(async () => await strangerIn(topic, victim)))
  const watchdog = new Watchdog()
  const key = topicKey(topic)
  const count = 2_000
  for (const { identity, socket } of flooders) {
    const messages = Array.from({ length: count }, (_, i) => encodeMessage(key, identity.peerId, uint32(i)))
    socket.write(
      concatBytes(
        ...messages.map((body) => concatBytes(uint32(body.byteLength + 1), Uint8Array.of(frame.message), body))
      )
    )
  }
  await until('the flood has begun', () => flooded > 100)
  await friend.messages.publish(topic, ascii('abc'))
  await until('the friend is heard', () => before !== undefined)
  expect(before).toBeLessThan(count * 2)
  await until('all of it is handled', () => flooded === count * 3)
  // An order of magnitude: in one go it would take more than a second.
  expect(watchdog.stop()).toBeLessThan(300)
})
