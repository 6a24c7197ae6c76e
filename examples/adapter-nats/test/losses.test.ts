import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { isP2plError } from '@p2pl/core/backend'
import { block, listen, Place, rejects, text, until } from './support/peers.ts'
import { startProxy } from './support/proxy.ts'
import { startServer } from './support/server.ts'

const place = new Place()
after(async () => await place.end())
const server = await startServer()
place.defer(async () => await server.stop())

it('a server that is killed and started again has lost nothing that was acknowledged, and the loss of messages is told', async () => {
  const events: string[] = []
  const losses: string[] = []
  const ann = await place.peer({ servers: server.url, dir: place.folder() }, ({ type }) => void losses.push(type))
  const ben = await place.peer({ servers: server.url }, ({ type }) => void events.push(type))
  const heard = await listen(ben, 't')
  const acknowledged = [await block(), await block(1_000_000)]
  await ann.blocks?.putMany(acknowledged)
  await ann.blocks?.pin((acknowledged[0] as (typeof acknowledged)[0]).cid)
  const without = await block()
  await ben.blocks?.putMany([without])
  // Some of these are under way when the server ends.
  const under = await Promise.all(Array.from({ length: 200 }, async () => await block(2_000)))
  const puts = under.map(async (each) => {
    await ann.blocks?.putMany([each])
    acknowledged.push(each)
  })
  const settled = Promise.allSettled(puts)
  await Promise.race(puts)
  await server.kill()
  for (const put of await settled)
    if (put.status === 'rejected') assert.ok(isP2plError(put.reason) && put.reason.retryable, String(put.reason))

  // Each has its own connection, and notices its end by itself.
  await until('the loss is told', () => heard.includes('healing') && losses.includes('degraded'))
  await rejects(ann.messages?.publish('t', text('lost')), 'UNREACHABLE', /it is being made again/)
  await rejects(ann.blocks?.get((acknowledged[0] as (typeof acknowledged)[0]).cid), 'UNREACHABLE')
  await server.restart()
  await until('the topic is live again', () => heard.includes('live'))
  await until('the other peer is back', async () => {
    const sent = await ann.messages?.publish('t', text('back')).catch(() => undefined)
    return (sent?.recipients ?? 0) > 0
  })
  await until('the message arrives', () => heard.includes('back'))
  assert.deepEqual(heard.slice(0, 4), ['healing', 'gap', 'live', 'back'])
  assert.deepEqual(events, ['degraded', 'recovered'])

  assert.deepEqual(await ben.blocks?.get(without.cid, { local: true }), without.bytes)
  assert.ok(acknowledged.length > 2)
  for (const { cid, bytes } of acknowledged) {
    assert.deepEqual(await ann.blocks?.get(cid, { local: true }), bytes)
    assert.deepEqual(await ben.blocks?.get(cid), bytes)
  }
  await rejects(ann.blocks?.delete((acknowledged[0] as (typeof acknowledged)[0]).cid), 'PINNED')
})

it('a connection on which nothing passes any more is made anew, also with much that was not sent', async () => {
  const proxy = await startProxy(server.port)
  place.defer(async () => await proxy.close())
  const network = 'half-open'
  const ann = await place.peer({ servers: server.url, network })
  const ben = await place.peer({ servers: proxy.url, network })
  const heard = await listen(ben, 't')
  await ann.messages?.publish('t', text('before'))
  await until('the topic works', () => heard.includes('before'))
  proxy.freeze()
  // More than the buffers of the kernel take.
  const unsent = Array.from({ length: 20 }, async () => await ben.messages?.publish('x', new Uint8Array(1024 * 1024)))
  await ann.messages?.publish('t', text('lost'))
  for (const publish of unsent) await rejects(publish, 'UNCERTAIN')
  await until('the topic is live again', () => heard.includes('live'))
  await ann.messages?.publish('t', text('after'))
  await until('the message arrives', () => heard.includes('after'))
  assert.deepEqual(heard, ['before', 'healing', 'gap', 'live', 'after'])
  assert.deepEqual(await ben.messages?.publish('nobody', text('x')), { recipients: 0 })
})
