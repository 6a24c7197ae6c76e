import type { BlockCapabilities, Capabilities, MessageCapabilities, RoutingCapabilities } from '@p2pl/core/backend'
import { memory } from '@p2pl/memory'
import { describe, expect, it } from 'vitest'
import { failover } from '../src/failover.ts'
import { meet } from '../src/legs/meet.ts'
import { mirror } from '../src/mirror.ts'
import { fake } from './support.ts'

const { messages, blocks, routing } = fake({}).capabilities as {
  messages: MessageCapabilities
  blocks: BlockCapabilities
  routing: RoutingCapabilities
}

describe('the capabilities of several backends', () => {
  it('of messages are the weakest of each, and never reliable or in order', () => {
    const other: MessageCapabilities = {
      delivery: 'reliable',
      ordering: 'sender',
      echo: true,
      maxMessageBytes: 5,
      pacing: 10,
      peers: 'emulated',
      recipients: 'none',
      gaps: 'emulated',
      validation: 'none',
      sender: 'verified'
    }
    expect(meet([{ messages }, { messages: other }], 1).messages).toEqual({
      delivery: 'at-most-once',
      ordering: 'none',
      echo: true,
      maxMessageBytes: 5,
      pacing: 10,
      peers: 'emulated',
      recipients: 'none',
      gaps: 'emulated',
      validation: 'none',
      sender: 'none'
    })
  })

  it('of blocks are the smallest limits, the common hashes, and what a quorum keeps', () => {
    const other: BlockCapabilities = {
      maxBlockBytes: 2 ** 20 + 65_536,
      persistence: 'power',
      remote: false,
      keepsFetched: false,
      pins: 'emulated',
      gc: 'none',
      hashes: [0x12, 0x13]
    }
    expect(meet([{ blocks }, { blocks: other }], 1).blocks).toEqual({
      maxBlockBytes: 2 ** 20 + 65_536,
      persistence: 'none',
      remote: false,
      keepsFetched: true,
      pins: 'emulated',
      gc: 'none',
      hashes: [0x12]
    })
    expect(meet([{ blocks }, { blocks: other }], 2).blocks?.persistence).toBe('power')
  })

  it('of routing are the weakest of each, but that one dials is enough', () => {
    const other: RoutingCapabilities = { ...routing, provide: 'none', connect: 'none', recordLifetime: 5 }
    expect(meet([{ routing }, { routing: other }], 1).routing).toEqual({
      ...routing,
      provide: 'none',
      connect: 'native',
      recordLifetime: 5
    })
    expect(meet([{ routing }, {}], 1).routing).toMatchObject({ connect: 'native', findProviders: 'none' })
    expect(meet([{ routing: other }, {}], 1).routing).toBeUndefined()
  })

  it('of one backend are its own', () => {
    const capabilities = { messages, blocks, routing }
    expect(meet([capabilities], 1)).toEqual(capabilities)
  })

  it('have the parts that all have, and are refused where there is none', () => {
    const only = (parts: Capabilities): ReturnType<typeof fake> => ({ ...fake({}), capabilities: parts })
    const both = failover([memory(), only({ blocks })])
    expect([both.messages, both.capabilities.messages, both.capabilities.blocks?.persistence]).toEqual([
      undefined,
      undefined,
      'none'
    ])
    expect(() => failover([only({ messages }), only({ blocks })])).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' })
    )
  })

  it('follow the limits that a leg tells when it runs', async () => {
    let maxMessageBytes = 100
    const leg = {
      ...fake({ messages: { peers: async () => [] }, routing: { connections: async () => [] } }),
      get capabilities() {
        return { messages: { ...messages, maxMessageBytes } }
      }
    }
    const backend = mirror([leg, memory()])
    await backend.start()
    maxMessageBytes = 3
    expect(backend.capabilities.messages?.maxMessageBytes).toBe(3)
    await expect(backend.messages?.publish('t', new Uint8Array(4))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await backend.stop()
  })
})
