import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Objm } from '@nats-io/obj'
import { connect } from '@nats-io/transport-node'
import { type Backend, isP2plError } from '@p2pl/core/backend'
import { bucketOf, nameOf } from '../src/bucket.ts'
import { streamOf } from '../src/objects.ts'
import { backend, type Options, placement } from '../src/index.ts'
import { block, collect, listen, Place, rejects, text, until } from './support/peers.ts'
import { startServer } from './support/server.ts'

const place = new Place()
after(async () => await place.end())
const serve = async (config?: string): Promise<string> => {
  const server = await startServer(config)
  place.defer(async () => await server.stop())
  return server.url
}
const shared = await serve()

describe('options', () => {
  it('are refused by name where they are wrong', () => {
    const wrong: [object, RegExp][] = [
      [{ server: shared }, /no option "server"; the options are servers/],
      [{ servers: [] }, /servers must be a URL/],
      [{ connection: { tokn: 'x' } }, /no option "tokn"/],
      [{ network: 'a.b' }, /network must be a word/],
      [{ dir: '' }, /dir must be the path of a folder/],
      [{ content: 'no' }, /content must be true or false/],
      [{ maxBytes: 0 }, /maxBytes must be a whole number/],
      [{ replicas: 9 }, /replicas must be a whole number from 1 to 5/]
    ]
    for (const [options, message] of wrong)
      assert.throws(
        () => backend(options),
        (error) => isP2plError(error, 'INVALID_ARGUMENT') && message.test(error.message)
      )
  })

  it('are each word of the placement', () => {
    for (const word of placement) assert.equal(backend({ [word]: 'folder' }).name, 'nats')
  })
})

describe('a start', () => {
  it('says what to do where no server answers', async () => {
    const gone = await startServer()
    await gone.stop()
    await rejects(backend({ servers: gone.url }).start(), 'UNREACHABLE', /start one with "nats-server --jetstream"/)
  })

  it('says what to do about wrong credentials, and does not repeat those of a URL', async () => {
    const url = await serve('jetstream {}\nauthorization { token: "right" }')
    await rejects(backend({ servers: url }).start(), 'UNAUTHORIZED', /set connection\.token/)
    await rejects(backend({ servers: url, connection: { token: 'wrong' } }).start(), 'UNAUTHORIZED')
    const peer = await place.peer({ servers: url, connection: { token: 'right' } })
    assert.equal(peer.self().length, 1)
    const withSecret = backend({ servers: url.replace('//', '//me:secret@') })
    await assert.rejects(withSecret.start(), (error: Error) => !error.message.includes('secret'))
  })

  it('says what to do where JetStream is off, and needs none for messages alone', async () => {
    const url = await serve('')
    await rejects(backend({ servers: url }).start(), 'MISSING_DEPENDENCY', /--jetstream.*content: false/)
    const [a, b] = [
      await place.peer({ servers: url, content: false }),
      await place.peer({ servers: url, content: false })
    ]
    assert.deepEqual(
      Object.keys(a.capabilities).filter((part) => a[part as 'blocks'] !== undefined),
      ['messages']
    )
    const heard = await listen(b, 'news')
    assert.deepEqual(await a.messages?.publish('news', text('hello')), { recipients: 1 })
    await b.messages?.publish('news', text('own'))
    assert.deepEqual(heard, ['hello'])
  })

  it('is refused to a second peer with the same folder, or with a copy of it', async () => {
    const dir = place.folder()
    const first = await place.peer({ servers: shared, dir })
    await rejects(backend({ servers: shared, dir }).start(), 'LOCKED')
    const copy = place.folder()
    cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    await rejects(backend({ servers: shared, dir: copy }).start(), 'LOCKED', /give each peer a folder of its own/)
    await first.stop()
    const again = await place.peer({ servers: shared, dir: copy })
    assert.equal(again.self()[0]?.id.length, 32)
  })
})

describe('limits of the server', () => {
  it('are the limits of the peer: messages, and blocks in smaller parts', async () => {
    const url = await serve('jetstream {}\nmax_payload: 65536')
    const [a, b] = [await place.peer({ servers: url }), await place.peer({ servers: url })]
    assert.equal(a.capabilities.messages?.maxMessageBytes, 65_536)
    await rejects(a.messages?.publish('t', new Uint8Array(65_537)), 'TOO_LARGE')
    assert.deepEqual(await a.messages?.publish('t', new Uint8Array(65_536)), { recipients: 0 })
    const large = await block(1_100_000)
    await a.blocks?.putMany([large])
    assert.deepEqual(await b.blocks?.get(large.cid), large.bytes)
  })

  it('say that a bucket is full, and what is in it can be read and removed', async () => {
    const dir = place.folder()
    const peer = await place.peer({ servers: shared, dir, maxBytes: 200_000 })
    const [first, second] = [await block(150_000), await block(150_000)]
    await peer.blocks?.putMany([first])
    await rejects(peer.blocks?.putMany([second]), 'STORAGE', /raise maxBytes/)
    assert.equal(await peer.blocks?.has(second.cid), false)
    assert.deepEqual(await peer.blocks?.get(first.cid, { local: true }), first.bytes)
    await peer.blocks?.delete(first.cid)
    await peer.blocks?.putMany([second])
    await peer.stop()
    const larger = await place.peer({ servers: shared, dir, maxBytes: 500_000 })
    await larger.blocks?.putMany([first])
    assert.deepEqual(await larger.blocks?.get(second.cid, { local: true }), second.bytes)
  })

  it('name the subject that a user may not use', async () => {
    const user = (name: string, deny: string): string => `{ user: ${name}, password: x, permissions: { ${deny} } }`
    const users = [
      user('mute', 'publish: { deny: "p2pl.topic.*.>" }, subscribe: { deny: "p2pl.topic.>" }'),
      user('blind', 'publish: { deny: "$JS.API.DIRECT.GET.p2pl-have" }'),
      user('poor', 'publish: { deny: "$JS.API.STREAM.CREATE.>" }')
    ]
    const servers = await serve(`jetstream {}\nauthorization { users: [ ${users.join(', ')} ] }`)
    const options = (name: string): Options => ({ servers, connection: { user: name, pass: 'x' } })
    const denied = /p2pl.*give this user the permission/
    const mute = await place.peer(options('mute'))
    await rejects(mute.messages?.publish('t', text('x')), 'UNAUTHORIZED', denied)
    await rejects(mute.messages?.publish('t', text('x')), 'UNAUTHORIZED', denied)
    const subscribed = mute.messages?.subscribe('t', { message: () => 'accept', gap: () => undefined })
    await rejects(subscribed, 'UNAUTHORIZED', denied)
    const blind = await place.peer(options('blind'))
    await rejects(blind.blocks?.get((await block()).cid), 'UNAUTHORIZED', denied)
    await rejects(backend(options('poor')).start(), 'UNAUTHORIZED', denied)
  })
})

it('the permissions of the README let peers work, and none claim to be another', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const permissions = /```\n(publish: \[[^]*?)```/.exec(readme)?.[1] ?? ''
  const names = ['ann', 'ben'] as const
  const dirs = names.map(() => place.folder())
  const open = await serve()
  const ids: string[] = []
  for (const dir of dirs) {
    const peer = await place.peer({ servers: open, dir })
    ids.push(String(peer.self()[0]?.id))
    await peer.stop()
  }
  const users = names.map(
    (name, i) => `{ user: ${name}, password: x, permissions: { ${permissions.replaceAll('<id>', String(ids[i]))} } }`
  )
  const servers = await serve(`jetstream {}\nauthorization { users: [ ${users.join(', ')} ] }`)
  const [ann, ben] = (await Promise.all(
    names.map(
      async (user, i) =>
        await place.peer({ servers, dir: dirs[i], connection: { user, pass: 'x', inboxPrefix: `_INBOX.${ids[i]}` } })
    )
  )) as [Backend, Backend]
  const heard = await listen(ben, 't')
  assert.deepEqual(await ann.messages?.publish('t', text('hello')), { recipients: 1 })
  await until('the message arrives', () => heard.includes('hello'))
  const [first, second] = [await block(), await block(700_000)]
  await ann.blocks?.putMany([first, second])
  assert.deepEqual(await ben.blocks?.get(second.cid), second.bytes)
  await ann.blocks?.delete(first.cid)
  assert.equal(await ann.blocks?.has(first.cid), false)
  assert.equal((await collect(ann.blocks?.gc())).length, 1)

  const nc = await connect({ servers, user: 'ann', pass: 'x', inboxPrefix: `_INBOX.${ids[0]}` })
  place.defer(async () => await nc.close())
  const refused: string[] = []
  void (async () => {
    for await (const status of nc.status()) if (status.type === 'error') refused.push(status.error.message)
  })()
  const of = String(ids[1])
  const forbidden = [
    `p2pl.topic.dA.${of}`,
    `p2pl.have.00.${of}`,
    `$O.p2pl-${of}.M.x`,
    `$JS.API.STREAM.DELETE.OBJ_p2pl-${of}`,
    '$JS.API.STREAM.PURGE.p2pl-have'
  ]
  for (const subject of forbidden) nc.publish(subject, 'x')
  await nc.flush()
  await until('each is refused', () => refused.length === forbidden.length)
})

describe('content on the server', () => {
  it('is there for others when its peer has ended', async () => {
    const [dir, network] = [place.folder(), 'outlives']
    const owner = await place.peer({ servers: shared, network, dir })
    const kept = await block()
    await owner.blocks?.putMany([kept])
    await owner.stop()
    const other = await place.peer({ servers: shared, network })
    assert.deepEqual(await other.blocks?.get(kept.cid), kept.bytes)
  })

  it('of a peer without a folder ends with it', async () => {
    const network = 'nothing-left'
    const peer = await place.peer({ servers: shared, network })
    await peer.blocks?.putMany([await block(), await block()])
    await peer.stop()
    const nc = await connect({ servers: shared })
    place.defer(async () => await nc.close())
    const listed = await nc.request('$JS.API.STREAM.LIST', JSON.stringify({ subject: '' }))
    const { streams } = listed.json<{ streams: { config: { name: string }; state: { messages: number } }[] }>()
    const left = streams.filter(({ config }) => config.name.includes(network))
    assert.deepEqual(
      left.map(({ config, state }) => [config.name, state.messages]),
      [[`${network}-have`, 0]]
    )
  })

  it('can be read by other clients, and leaves nothing behind when it is removed', async () => {
    const [dir, network] = [place.folder(), 'plain']
    const peer = await place.peer({ servers: shared, network, dir })
    const large = await block(1_200_000)
    await Promise.all([large, large, large].map(async (same) => await peer.blocks?.putMany([same])))
    const nc = await connect({ servers: shared })
    place.defer(async () => await nc.close())
    const store = await new Objm(nc).open(bucketOf(network, String(peer.self()[0]?.id)))
    const [name, ...others] = (await store.list()).map((info) => info.name)
    assert.equal(name, nameOf(large.cid.multihash.bytes))
    assert.deepEqual(others, [])
    assert.deepEqual(new Uint8Array((await store.getBlob(name)) ?? []), large.bytes)
    assert.equal((await store.status()).streamInfo.state.messages, 4)
    await store.putBlob({ name: 'notes.txt' }, text('of a person'))
    const index = async (): Promise<number> =>
      (await (await jetstreamManager(nc)).streams.info(`${network}-have`)).state.messages
    assert.equal(await index(), 1)
    assert.deepEqual(await collect(peer.blocks?.gc()), [large.cid])
    await until('the entry of the index expires', async () => (await index()) === 0)
    assert.equal((await store.status()).streamInfo.state.messages, 2)
  })

  it('that an operator has removed is missed with a message that says so', async () => {
    const network = 'removed'
    const peer = await place.peer({ servers: shared, network })
    const nc = await connect({ servers: shared })
    place.defer(async () => await nc.close())
    await (await jetstreamManager(nc)).streams.delete(streamOf(bucketOf(network, String(peer.self()[0]?.id))))
    const { cid, bytes } = await block()
    const gone = /the bucket of this peer was removed/
    await rejects(peer.blocks?.putMany([{ cid, bytes }]), 'UNREACHABLE', gone)
    await rejects(peer.blocks?.has(cid), 'UNREACHABLE', gone)
    await rejects(peer.blocks?.delete(cid), 'UNREACHABLE', gone)
    await rejects(collect(peer.blocks?.gc()), 'UNREACHABLE', gone)
  })

  it('of networks with different names is apart', async () => {
    const [a, b] = [
      await place.peer({ servers: shared, network: 'one' }),
      await place.peer({ servers: shared, network: 'two' })
    ]
    const own = await block()
    await a.blocks?.putMany([own])
    await rejects(b.blocks?.get(own.cid, { signal: AbortSignal.timeout(300) }), 'TIMEOUT')
    const heard = await listen(b, 't')
    assert.deepEqual(await a.messages?.publish('t', text('x')), { recipients: 0 })
    assert.deepEqual(heard, [])
  })
})
