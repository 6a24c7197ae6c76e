import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdentity, createPeer, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { topicWithHistory } from '../src/history/index.ts'
import { openView, readView, type View } from '../src/index.ts'
import { bytesOf, collect, memoryDatabase } from './support/peers.ts'

let peer: Peer
let view: View

beforeAll(async () => {
  peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  view = await openView({ peer, topic: 'test', store: memoryDatabase() })
})
afterAll(async () => {
  await view.stop()
  await peer.stop()
})

// oxlint-disable-next-line typescript/no-explicit-any -- arguments that no type checker has seen
const untyped = (call: unknown): any => call
const open = (options: object): unknown =>
  untyped(openView)({ peer, topic: 'other', store: memoryDatabase(), ...options })
const keep = (options: object): unknown =>
  untyped(topicWithHistory)({ peer, topic: 'other', store: memoryDatabase(), ...options })
const getBlock = async (): Promise<Uint8Array> => bytesOf('x')

const wrong: Readonly<Record<string, [call: () => unknown, part: string]>> = {
  'openView: nothing': [() => untyped(openView)(), 'createPeer'],
  'openView: null': [() => untyped(openView)(null), 'createPeer'],
  'openView: a list': [() => untyped(openView)([]), 'must be an object, not an Array'],
  'openView: no peer': [() => open({ peer: undefined }), 'createPeer'],
  'openView: a backend as peer': [() => open({ peer: memory() }), 'createPeer'],
  'openView: a peer that was not awaited': [() => open({ peer: Promise.resolve(peer) }), 'await'],
  'openView: a number as topic': [() => open({ topic: 5 }), 'not 5'],
  'openView: no store': [() => open({ store: undefined }), 'path of a folder'],
  'openView: a number as store': [() => open({ store: 5 }), 'path of a folder'],
  'openView: a map as store': [() => open({ store: new Map() }), 'not a Map'],
  'openView: null as store': [() => open({ store: null }), 'not null'],
  'openView: text as identity': [() => open({ identity: 'x' }), 'createIdentity'],
  'openView: true as validate': [() => open({ validate: true }), 'validate must be a function'],
  'openView: text as onEvent': [() => open({ onEvent: 'log' }), 'onEvent must be a function'],
  'append: nothing': [() => untyped(view).append(), 'not undefined'],
  'append: an identity that does not sign': [
    async () => {
      const identity = { ...(await createIdentity()), sign: async () => new Uint8Array(63) }
      await view.append(bytesOf('x'), { identity })
    },
    'must sign with 64 bytes of ed25519, not 63 bytes'
  ],
  'append: text as identity': [() => untyped(view).append(bytesOf('x'), { identity: 'x' }), 'createIdentity'],
  'append: one parent': [() => untyped(view).append(bytesOf('x'), { parents: 'x' }), 'a list of CIDs'],
  'append: a list as options': [() => untyped(view).append(bytesOf('x'), []), 'must be an object'],
  'get: text': [() => untyped(view).get('x'), 'CID.parse'],
  'has: text': [() => untyped(view).has('x'), 'CID.parse'],
  'has: nothing': [() => untyped(view).has(), 'not undefined'],
  'entries: text as after': [() => collect(untyped(view).entries({ after: 'x' })), '"x"'],
  'entries: text as limit': [() => collect(untyped(view).entries({ limit: '5' })), 'not "5"'],
  'entries: text as reverse': [() => collect(untyped(view).entries({ reverse: 'no' })), 'true or false'],
  'heads: minus one': [() => untyped(view).heads({ limit: -1 }), 'not -1'],
  'agreed: text as peers': [() => untyped(view).agreed({ peers: '2' }), 'not "2"'],
  'import: nothing': [() => untyped(view).import(), 'not undefined'],
  'import: text': [() => untyped(view).import('x'), 'not "x"'],
  'import: bytes': [() => untyped(view).import(bytesOf('x')), '{ cid, bytes }'],
  'import: nothing as block': [() => untyped(view).import([undefined]), '{ cid, bytes }'],
  'readView: nothing': [() => collect(untyped(readView)()), 'not undefined'],
  'readView: text as root': [() => collect(untyped(readView)('x', { topic: 'test', getBlock })), 'CID.parse'],
  'readView: no topic': [() => collect(untyped(readView)('x', { getBlock })), 'topic'],
  'readView: a peer as source': [() => collect(untyped(readView)('x', { topic: 'test', peer })), '"peer"'],
  'readView: no function': [() => collect(untyped(readView)('x', { topic: 'test' })), 'getBlock must be a function'],
  'topicWithHistory: nothing': [() => untyped(topicWithHistory)(), 'createPeer'],
  'topicWithHistory: a backend as peer': [() => keep({ peer: memory() }), 'createPeer'],
  'topicWithHistory: no topic': [() => keep({ topic: undefined }), 'topic must be'],
  'topicWithHistory: a map as store': [() => keep({ store: new Map() }), 'not a Map'],
  'topicWithHistory: true as validate': [() => keep({ validate: true }), 'a function']
}

it.each(Object.entries(wrong))('%s is refused, and the message names the fix', async (_, [call, part]) => {
  const error: unknown = await (async () => await call())().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
})

it('openView refuses a folder with files of something else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-mistakes-'))
  try {
    writeFileSync(join(folder, 'letter.txt'), 'x')
    for (const call of [open, keep]) {
      await expect(call({ store: folder })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('letter.txt') as string
      })
    }
    expect(readdirSync(folder)).toEqual(['letter.txt'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
