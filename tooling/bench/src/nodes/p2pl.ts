import { randomBytes } from 'node:crypto'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import type { Role } from '../harness/child.ts'
import { getMany } from './many.ts'
import { epoch, Mailbox, timed } from './mailbox.ts'
import type { Node } from './node.ts'

/** p2pl on the same engine, with its defaults: what an application gets. */
const p2pl: Role<object, Node> = async () => {
  const peer = await createPeer({ backend: helia() })
  const mailboxes = new Map<string, Mailbox>()
  const mailbox = (topic: string): Mailbox => {
    const known = mailboxes.get(topic) ?? new Mailbox()
    mailboxes.set(topic, known)
    return known
  }
  const listen = async (topic: string, onMessage: (payload: Uint8Array) => void = () => undefined): Promise<void> => {
    const subscription = peer.topic(topic).subscribe({ maxQueuedMessages: 1_000_000, maxQueuedBytes: 2 ** 30 })
    await subscription.joined
    void (async () => {
      for await (const item of subscription) {
        if (item.type !== 'message') continue
        mailbox(topic).deliver()
        onMessage(item.payload)
      }
    })()
  }

  return {
    self: async () => peer.network.self(),
    connect: (to) => peer.network.connect(to),
    add: async (size) => {
      const bytes = randomBytes(size)
      let cid = ''
      const time = await timed(async () => {
        cid = String((await peer.data.add(bytes)).cid)
      })
      return { cid, time }
    },
    get: async (cid) => {
      let bytes = 0
      const time = await timed(async () => {
        for await (const chunk of peer.data.get(cid)) bytes += chunk.byteLength
      })
      return { bytes, time }
    },
    addMany: async (count, size) => {
      const cids: string[] = []
      for (let i = 0; i < count; i++) cids.push(String((await peer.data.add(randomBytes(size))).cid))
      return cids
    },
    getMany: (cids, parallel) => getMany(cids, parallel, async (cid) => (await peer.data.bytes(cid)).byteLength),
    forget: async () => {
      for await (const { cid } of peer.data.pins()) await peer.data.unpin(cid)
      for await (const _ of peer.data.gc());
    },
    listen,
    ready: (topic) => peer.topic(topic).ready(),
    flood: async (topic, count, size) => {
      const payloads = Array.from({ length: count }, () => randomBytes(size))
      const begin = epoch()
      const at = peer.topic(topic)
      for (let next = 0; next < count; next += 1_024)
        await Promise.all(payloads.slice(next, next + 1_024).map((payload) => at.publish(payload)))
      return begin
    },
    heard: (topic, count) => mailbox(topic).take(count),
    publish: async (topic, count, size) => {
      const payloads = Array.from({ length: count }, () => randomBytes(size))
      const at = peer.topic(topic)
      return {
        time: await timed(async () => {
          for (const payload of payloads) await at.publish(payload)
        })
      }
    },
    echo: (topic, answers) => listen(topic, (payload) => void peer.topic(answers).publish(payload)),
    pingPong: async (topic, answers, count, size) => ({
      time: await timed(async () => {
        for (let i = 0; i < count; i++) {
          const answer = mailbox(answers).take(1)
          await peer.topic(topic).publish(randomBytes(size))
          await answer
        }
      })
    })
  }
}

export default p2pl
