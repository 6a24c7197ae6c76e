import { seededBytes, withSeed } from '@p2pl/tooling-vitest'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, Frames, maxMessageBytes, type Message } from '../src/bitswap/wire.ts'

const message: Message = {
  full: true,
  entries: [
    { cid: seededBytes(36, 1), cancel: false, have: true, sendDontHave: true },
    { cid: seededBytes(36, 2), cancel: true, have: false, sendDontHave: false }
  ],
  blocks: [
    { prefix: Uint8Array.of(1, 0x55, 0x12, 32), data: seededBytes(70_000, 3) },
    { prefix: Uint8Array.of(1, 0x55, 0x12, 32), data: new Uint8Array() }
  ],
  presences: [
    { cid: seededBytes(36, 4), have: true },
    { cid: seededBytes(36, 5), have: false }
  ]
}

describe('messages of Bitswap', () => {
  test('survive the wire, however it cuts them', async () => {
    await withSeed(1, async (_, random) => {
      const stream = Buffer.concat([
        encodeMessage(message),
        encodeMessage({ ...message, full: false }),
        encodeMessage(message)
      ])
      for (let round = 0; round < 50; round++) {
        const frames = new Frames()
        const complete: Uint8Array[] = []
        for (let at = 0; at < stream.length;) {
          const end = at + 1 + Math.floor(random() ** 8 * stream.length)
          complete.push(...frames.push(new Uint8Array(stream.subarray(at, end))))
          at = end
        }
        expect(complete).toHaveLength(3)
        const [first, second] = complete.map(decodeMessage)
        expect(first?.full).toBe(true)
        expect(second?.full).toBe(false)
        expect(second?.entries).toEqual(message.entries)
        expect(second?.presences).toEqual(message.presences)
        expect(second?.blocks.map(({ data }) => data.length)).toEqual([70_000, 0])
      }
      await Promise.resolve()
    })
  })

  test('that are too long are refused before they are read', () => {
    expect(() => new Frames().push(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01))).toThrow(/too long/)
    expect(() => new Frames().push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toThrow()
    expect(maxMessageBytes).toBe(4 * 1024 * 1024)
  })

  test('from random bytes are decoded or refused, and nothing else', async () => {
    await withSeed(2, async (_, random) => {
      const valid = encodeMessage(message).subarray(0, 400)
      for (let round = 0; round < 5_000; round++) {
        const bytes = new Uint8Array(valid.subarray(0, Math.floor(random() * valid.length)))
        for (let i = 0; i < 4; i++) bytes[Math.floor(random() * bytes.length)] = random() * 256
        try {
          decodeMessage(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
      await Promise.resolve()
    })
  })
})
