import { createIdentity, createPeer, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as rooms from '../src/index.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- arguments that no type checker has seen
const { joinRoom, certifyDevice, seal, open, createSecret } = rooms as any

let peer: Peer
// oxlint-disable-next-line typescript/no-explicit-any -- calls that no type checker has seen
let room: any

beforeAll(async () => {
  peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  room = await joinRoom(peer, 'tools')
})
afterAll(async () => {
  await room.leave()
  await peer.stop()
})

const all = async (source: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of source);
}
const bytes = new Uint8Array(1)

const wrong: Readonly<Record<string, [call: () => unknown, part: string]>> = {
  'joinRoom: nothing': [() => joinRoom(), 'createPeer'],
  'joinRoom: a name alone': [() => joinRoom('tools'), 'createPeer'],
  'joinRoom: a backend': [() => joinRoom(memory(), 'tools'), 'createPeer'],
  'joinRoom: a peer that was not awaited': [() => joinRoom(Promise.resolve(peer), 'tools'), 'await it first'],
  'joinRoom: no name': [() => joinRoom(peer), 'not undefined'],
  'joinRoom: options as name': [() => joinRoom(peer, { name: 'Ann' }), 'not an object'],
  'joinRoom: text as options': [() => joinRoom(peer, 'tools', 'Ann'), 'must be an object, not "Ann"'],
  'joinRoom: a mistyped option': [() => joinRoom(peer, 'tools', { secrt: 'x' }), '"secrt"'],
  'joinRoom: the name of a codec': [() => joinRoom(peer, 'tools', { codec: 'json' }), 'codec has no method "encode"'],
  'joinRoom: a short secret': [() => joinRoom(peer, 'tools', { secret: 'x' }), 'createSecret()'],
  'joinRoom: a number as account': [() => joinRoom(peer, 'tools', { account: 5 }), 'certifyDevice'],
  'joinRoom: a controller as signal': [() => joinRoom(peer, 'tools', { signal: new AbortController() }), 'AbortSignal'],
  'send: nothing': [() => room.send(), 'undefined'],
  'send: no list of options': [() => room.send('x', []), 'must be an object'],
  'rename: a number': [() => room.rename(5), 'not 5'],
  'channel: nothing': [() => room.channel(), 'not undefined'],
  'channel: the name of a codec': [() => room.channel('a', { codec: 'json' }), 'codec'],
  'onMessage: nothing': [() => room.onMessage(), 'function'],
  'onEvent: nothing': [() => room.onEvent(), 'function'],
  'onRequest: nothing': [() => room.onRequest(), 'function'],
  'certifyDevice: nothing': [() => certifyDevice(), 'identity of the account'],
  'certifyDevice: an id as account': [() => certifyDevice(peer.id, peer.id), 'createIdentity'],
  'certifyDevice: no device': [async () => await certifyDevice(await createIdentity()), ''],
  'seal: nothing': [() => seal(), 'either secret or to'],
  'seal: no options': [() => seal(bytes), 'either secret or to'],
  'seal: one peer': [() => seal(bytes, { to: 'x' }), 'a list'],
  'seal: a peer instead of its id': [() => seal(bytes, { to: [peer] }), ''],
  'seal: a number as secret': [() => seal(bytes, { secret: 5 }), 'createSecret()'],
  'seal: no content': [() => all(seal(undefined, { secret: createSecret() })), 'not undefined'],
  'open: nothing': [() => open(), 'either secret or identity'],
  'open: an id as identity': [() => open(bytes, { identity: 'x' }), 'createIdentity'],
  'open: an identity that was not awaited': [() => open(bytes, { identity: createIdentity() }), 'awaited'],
  'open: a CID': [() => all(open({ cid: 'x' }, { secret: createSecret() })), 'not an object']
}

it.each(Object.entries(wrong))('%s is refused, and the message names the fix', async (_, [call, part]) => {
  const error: unknown = await (async () => await call())().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
})
