import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { Objm } from '@nats-io/obj'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Backend, Block } from '@p2pl/core/backend'
import { bucketOf, nameOf } from '../src/bucket.ts'
import { chunksOf, infoOf, readObject } from '../src/objects.ts'
import { Subjects } from '../src/subjects.ts'
import { block, listen, Place, rejects, text, until } from './support/peers.ts'
import { startServer } from './support/server.ts'

// A client of the server that may publish anything: what permissions would forbid.
const place = new Place()
const subjects = new Subjects('p2pl')
const liar = 'f'.repeat(32)
let stranger: NatsConnection
let manager: JetStreamManager
let [ann, ben] = [] as unknown as [Backend, Backend]

before(async () => {
  const server = await startServer()
  place.defer(async () => await server.stop())
  stranger = await connect({ servers: server.url })
  place.defer(async () => await stranger.close())
  ann = await place.peer({ servers: server.url })
  ben = await place.peer({ servers: server.url })
  manager = await jetstreamManager(stranger)
  await new Objm(jetstream(stranger)).create(bucketOf('p2pl', liar))
})
after(async () => await place.end())

it('garbage on the subjects of a topic is a message or nothing', async () => {
  const heard = await listen(ben, 't')
  for (const id of ['me', '0'.repeat(31), `${'0'.repeat(32)}x`])
    stranger.publish(subjects.topic('t', id), text('unheard'))
  stranger.publish(subjects.topic('t', liar), text('odd'), { reply: 'somewhere' })
  stranger.publish(subjects.topic('t', liar), new Uint8Array(0))
  stranger.publish(subjects.peer(String(ben.self()[0]?.id)), text('who'))
  await stranger.flush()
  await ann.messages?.publish('t', text('real'))
  await until('the messages arrive', () => heard.includes('real'))
  assert.deepEqual(heard, ['odd', '', 'real'])
})

const objects: Record<string, (wanted: Block) => Promise<unknown>> = {
  'nothing at all': async () => undefined,
  'other bytes': async ({ cid }) => await put(cid, text('other bytes')),
  'bytes without end': async ({ cid }) => await info(cid, { nuid: 'x', size: 1e15, chunks: 1 }),
  'fewer bytes than it says': async ({ cid }) => await info(cid, { nuid: 'none', size: 64, chunks: 1 }),
  'a link to a bucket that does not exist': async ({ cid }) =>
    await info(cid, { nuid: 'x', size: 64, options: { link: { bucket: 'made-by-a-link', name: 'x' } } }),
  'a link to itself': async ({ cid }) =>
    await info(cid, {
      nuid: 'x',
      size: 64,
      options: { link: { bucket: bucketOf('p2pl', liar), name: nameOf(cid.multihash.bytes) } }
    }),
  'no JSON': async ({ cid }) => await publish(infoOf(bucketOf('p2pl', liar), nameOf(cid.multihash.bytes)), text('{')),
  'a subject with wildcards for its bytes': async ({ cid }) => await info(cid, { nuid: '>', size: 64 })
}

const publish = async (subject: string, bytes: Uint8Array): Promise<unknown> =>
  await jetstream(stranger).publish(subject, bytes)
const info = async (cid: Block['cid'], value: object): Promise<unknown> =>
  await publish(infoOf(bucketOf('p2pl', liar), nameOf(cid.multihash.bytes)), text(JSON.stringify(value)))
const put = async (cid: Block['cid'], bytes: Uint8Array): Promise<unknown> => {
  const store = await new Objm(stranger).open(bucketOf('p2pl', liar))
  return await store.putBlob({ name: nameOf(cid.multihash.bytes) }, bytes)
}
const claim = async ({ cid }: Block, id: string): Promise<unknown> =>
  await publish(subjects.have(nameOf(cid.multihash.bytes), id), new Uint8Array(0))

for (const [what, prepare] of Object.entries(objects))
  it(`a peer that claims to have a block and has ${what} delays nobody`, async () => {
    const wanted = await block()
    await prepare(wanted)
    await claim(wanted, liar)
    await claim(wanted, 'no-id')
    const early = ben.blocks?.get(wanted.cid, { signal: AbortSignal.timeout(100_000) })
    await claim(wanted, liar)
    await ann.blocks?.putMany([wanted])
    assert.deepEqual(await early, wanted.bytes)
    assert.deepEqual(await ben.blocks?.get(wanted.cid, { remote: true }), wanted.bytes)
    const names = await manager.streams.names().next()
    assert.ok(names.every((name) => !name.includes('made-by-a-link')))
  })

it('an object in chunks of one byte is not read to its end', async () => {
  const { cid } = await block()
  const bucket = bucketOf('p2pl', liar)
  const size = 3_000
  for (let i = 0; i < size; i++) stranger.publish(chunksOf(bucket, 'crumbs'), new Uint8Array(1))
  await info(cid, { nuid: 'crumbs', size })
  assert.equal(await readObject(manager, bucket, nameOf(cid.multihash.bytes), size), undefined)
})

it('any number of false claims costs one request each', async () => {
  const wanted = await block()
  await Promise.all(
    Array.from({ length: 300 }, async (_value, i) => await claim(wanted, i.toString(16).padStart(32, '0')))
  )
  await ann.blocks?.putMany([wanted])
  assert.deepEqual(await ben.blocks?.get(wanted.cid), wanted.bytes)
})

it('a block whose entry a stranger has overwritten counts as missing, is had from others, and takes no other block with it', async () => {
  const [own] = ann.self()
  const damaged = await block()
  await ann.blocks?.putMany([damaged])
  const kept = await block()
  await ann.blocks?.putMany([kept])
  const entry = infoOf(bucketOf('p2pl', String(own?.id)), nameOf(damaged.cid.multihash.bytes))
  for (const garbage of ['null', '{', JSON.stringify({ nuid: '>', size: 64 })]) {
    await publish(entry, text(garbage))
    assert.equal(await ann.blocks?.has(damaged.cid), false)
    await rejects(ann.blocks?.get(damaged.cid, { local: true }), 'NOT_FOUND')
    await ben.blocks?.putMany([damaged])
    assert.deepEqual(await ann.blocks?.get(damaged.cid), damaged.bytes)
    assert.equal(await ann.blocks?.has(damaged.cid), true)
    assert.deepEqual(await ann.blocks?.get(kept.cid, { local: true }), kept.bytes)
  }
})
