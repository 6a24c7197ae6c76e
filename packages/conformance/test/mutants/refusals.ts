import { fakeCapabilities } from '../../src/fake/index.ts'
import { declaring, failure, inBlocks, inMessages, inNode, inRouting, runs, type Mutant } from './mutant.ts'

export const refusalMutants: readonly Mutant[] = [
  inNode('a part is there that is not declared', /each part is there exactly/, (node) => ({
    capabilities: { ...node.capabilities, routing: undefined }
  })),
  inNode('a part that is declared is missing', /each part is there exactly/, () => ({ messages: undefined })),
  inNode('a capability has a value of its own', /capabilities have the values/, (node) => ({
    capabilities: { ...node.capabilities, routing: { ...fakeCapabilities.routing, findPeer: 'partial' as 'native' } }
  })),
  inNode('sha2-256 is not declared', /capabilities have the values/, (node) => ({
    capabilities: { ...node.capabilities, blocks: { ...fakeCapabilities.blocks, hashes: [0x13] } }
  })),
  {
    name: 'what is declared changes with start',
    caughtBy: /constant from construction on/,
    mutate: (node) =>
      new Proxy(node, {
        get: (target, name) => {
          if (name === 'capabilities' && runs(target)) return { ...target.capabilities, routing: undefined }
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
      })
  },
  {
    name: 'the backends declare less than the fixture says',
    caughtBy: /constant from construction on/,
    claimed: fakeCapabilities,
    ...declaring('messages', { sender: 'claimed' }),
    mutate: (node) => node
  },
  inMessages(
    'peers answers though it is not declared',
    /messages.peers is refused/,
    () => ({ peers: async () => [] }),
    declaring('messages', { peers: 'none' })
  ),
  inBlocks(
    'pin is silently ignored',
    /blocks.pin is refused/,
    () => ({ pin: async () => undefined }),
    declaring('blocks', { pins: 'none' })
  ),
  inBlocks(
    'pins is empty though it is not declared',
    /blocks.pins is refused/,
    () => ({
      pins: async function* () {}
    }),
    declaring('blocks', { pins: 'none' })
  ),
  inBlocks(
    'gc does nothing though it is not declared',
    /blocks.gc is refused/,
    () => ({
      gc: async function* () {}
    }),
    declaring('blocks', { gc: 'none' })
  ),
  inRouting(
    'provide is silently ignored',
    /routing.provide is refused/,
    () => ({ provide: async () => undefined }),
    declaring('routing', { provide: 'none' })
  ),
  inRouting(
    'findProviders is empty though it is not declared',
    /routing.findProviders is refused/,
    () => ({
      findProviders: async function* () {}
    }),
    declaring('routing', { findProviders: 'none' })
  ),
  inRouting(
    'findPeer rejects with NOT_FOUND though it is not declared',
    /routing.findPeer is refused/,
    () => ({
      findPeer: async () => {
        throw failure('NOT_FOUND', 'routing.findPeer', 'not here')
      }
    }),
    declaring('routing', { findPeer: 'none' })
  ),
  inRouting(
    'connections is empty though connect is not declared',
    /routing.connections is refused/,
    () => ({ connections: async () => [] }),
    declaring('routing', { connect: 'none' })
  )
]
