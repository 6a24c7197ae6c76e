import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, test } from 'vitest'
import { dhtMembers } from '../src/engine/dht/requests.ts'
import { libraryMembers } from '../src/engine/exchange/library.ts'
import { gossipMembers } from '../src/engine/gossip/engine.ts'
import { muxerMembers } from '../src/engine/muxer/muxing.ts'
import { requireMembers } from '../src/engine/members.ts'
import { listenerMembers } from '../src/runtime/silent-sockets.ts'
import { engineOf, make, pair, started } from './helper.ts'

/** Something of that type at that place. */
function put(object: Record<string, unknown>, [name = '', ...rest]: string[], type: string): void {
  if (rest.length === 0) object[name] ??= type === 'function' ? () => {} : type === 'string' ? '' : {}
  else put((object[name] ??= {}) as Record<string, unknown>, rest, type)
}

/** Runs with a member of a prototype gone. */
async function without(prototype: Record<string, unknown>, name: string, run: () => Promise<void>): Promise<void> {
  const member = prototype[name]
  expect(member).toBeTypeOf('function')
  prototype[name] = undefined
  try {
    await run()
  } finally {
    prototype[name] = member
  }
}

function prototypeOf(object: unknown): Record<string, unknown> {
  return Object.getPrototypeOf(object) as Record<string, unknown>
}

describe('members of the engine that this package relies on', () => {
  test.each([
    ['@libp2p/gossipsub', gossipMembers],
    ['@helia/bitswap', libraryMembers],
    ['@libp2p/kad-dht', dhtMembers],
    ['@libp2p/yamux', muxerMembers],
    ['@libp2p/websockets', listenerMembers]
  ])('of %s: an object that lacks one of them is refused by its name', (library, members) => {
    const complete = {}
    for (const [path, type] of Object.entries(members)) put(complete, path.split('.'), type)
    requireMembers(library, complete, members)
    for (const missing of Object.keys(members)) {
      const other = {}
      for (const [path, type] of Object.entries(members)) if (path !== missing) put(other, path.split('.'), type)
      expect(() => requireMembers(library, other, members), missing).toThrow(
        expect.objectContaining({ code: 'ENGINE', message: expect.stringContaining(`"${missing}"`) as string })
      )
    }
  })

  test('noise finds the end of what has come without an error', async () => {
    const [, node] = await pair()
    interface Noise {
      readonly muxer: { readonly maConn: { readonly decoder: { lengthDecoder(data: Uint8Array): number } } }
    }
    const [connection] = engineOf(node).libp2p.getConnections() as unknown as Noise[]
    const { decoder } = connection!.muxer.maConn
    expect([0, 1, 2, 3].map((length) => decoder.lengthDecoder(new Uint8Array(length).fill(1)))).toEqual([
      0, 0, 257, 257
    ])
  })

  test('a node does not start without them', async () => {
    const { gossip, exchange } = engineOf(await started())
    const network = exchange.bitswap.library?.internals.network
    for (const [prototype, name, library] of [
      [prototypeOf(gossip), 'sendGraft', '@libp2p/gossipsub'],
      [prototypeOf(gossip.score), 'addPenalty', '@libp2p/gossipsub'],
      [prototypeOf(network), 'sendMessage', '@helia/bitswap']
    ] as const)
      await without(prototype, name, async () => {
        await expect(make().start()).rejects.toSatisfy(
          (error) => isP2plError(error, 'ENGINE') && error.message.includes(name) && error.message.includes(library)
        )
      })
  })
})
