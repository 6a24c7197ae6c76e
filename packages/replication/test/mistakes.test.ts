import { createPeer, type Peer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as door from '../src/index.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- arguments that no type checker has seen
const untyped = (value: unknown): any => value
const { openReplication, pinningService } = untyped(door)

let peer: Peer
// oxlint-disable-next-line typescript/no-explicit-any -- calls that no type checker has seen
let replication: any

beforeAll(async () => {
  peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  replication = openReplication({ peer })
})
afterAll(async () => {
  await replication.stop()
  await peer.stop()
})

const service = { endpoint: 'https://pins.example', accessToken: 'x' }

const wrong: Readonly<Record<string, [call: () => unknown, part: string]>> = {
  'openReplication: nothing': [() => openReplication(), 'createPeer'],
  'openReplication: null': [() => openReplication(null), 'an object, not null'],
  'openReplication: a list': [() => openReplication([]), 'an object, not an Array'],
  'openReplication: a backend as peer': [() => openReplication({ peer: memory() }), 'createPeer'],
  'openReplication: one service': [() => openReplication({ peer, services: {} }), 'a list'],
  'openReplication: the address of a service': [
    () => openReplication({ peer, services: ['https://x'] }),
    'pinningService'
  ],
  'openReplication: nothing as service': [() => openReplication({ peer, services: [null] }), 'pinningService'],
  'openReplication: text as a number': [() => openReplication({ peer, maxKept: '5' }), 'whole number'],
  'keep: nothing': [() => replication.keep(), 'CID'],
  'keep: no range': [() => replication.keep('bafkqaaa'), 'min'],
  'keep: a number as range': [() => replication.keep('bafkqaaa', 3), 'an object, not 3'],
  'status: a number': [() => replication.status(5), 'CID'],
  'release: text': [() => replication.release('x'), 'CID'],
  'onEvent: nothing': [() => replication.onEvent(), 'function'],
  'pinningService: nothing': [() => pinningService(), 'endpoint'],
  'pinningService: an address': [() => pinningService('https://pins.example'), 'an object, not'],
  'pinningService: no token': [() => pinningService({ endpoint: 'https://pins.example' }), 'accessToken'],
  'pinningService: a mistyped option': [() => pinningService({ ...service, tiemout: 5 }), '"tiemout"'],
  'pinningService: no time': [() => pinningService({ ...service, timeout: 0 }), 'timeout']
}

it.each(Object.entries(wrong))('%s is refused, and the message names the fix', async (_, [call, part]) => {
  const error: unknown = await (async () => await call())().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(part) as string })
})
