import { forSeeds, seededBytes, seededRandom } from '@p2pl/tooling-vitest'
import { describe, expect, test } from 'vitest'
import { Decoder, type FrameHandler } from '../src/engine/bulk/decoder.ts'
import {
  blockHeaderBytes,
  BreachError,
  entriesFrame,
  entriesOf,
  frameOf,
  idsFrame,
  idsOf,
  Kind,
  limits,
  writeBlockHeader
} from '../src/engine/bulk/frames.ts'
import { same } from './helper.ts'

function blockFrame(id: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(blockHeaderBytes + bytes.byteLength)
  writeBlockHeader(frame, 0, id, bytes.byteLength)
  frame.set(bytes, blockHeaderBytes)
  return frame
}

interface Seen extends FrameHandler {
  readonly blocks: Map<number, Uint8Array>
  readonly frames: { readonly kind: number; readonly body: Uint8Array }[]
}

/** Expects blocks with even numbers. */
function seen(): Seen {
  const blocks = new Map<number, Uint8Array>()
  const frames: Seen['frames'] = []
  return {
    blocks,
    frames,
    expects: (id) => id % 2 === 0,
    block: (id, bytes) => void blocks.set(id, bytes),
    frame: (kind, body) => void frames.push({ kind, body: new Uint8Array(body) })
  }
}

function pushInPieces(decoder: Decoder, bytes: Uint8Array, random: () => number, longest: number): void {
  for (let at = 0; at < bytes.byteLength;) {
    const end = at + 1 + Math.floor(random() * longest)
    decoder.push(bytes.subarray(at, end))
    at = end
  }
}

/** Some frames, and what they are made of. */
function sample(
  random: () => number,
  count: number
): { bytes: Uint8Array; frames: Seen['frames']; blocks: Seen['blocks'] } {
  const parts: Uint8Array[] = []
  const frames: Seen['frames'] = []
  const blocks: Seen['blocks'] = new Map()
  for (let i = 0; i < count; i++) {
    const bytes = seededBytes(Math.floor(random() ** 3 * 30_000), i)
    if (random() < 0.5) {
      parts.push(blockFrame(i, bytes))
      if (i % 2 === 0) blocks.set(i, bytes)
    } else {
      const kind = random() < 0.5 ? Kind.want : 200
      parts.push(frameOf(kind, bytes))
      frames.push({ kind, body: bytes })
    }
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), frames, blocks }
}

describe('the decoder of frames', () => {
  test('gives out the same frames however they are cut', async () => {
    await forSeeds('frames', { seeds: 100, short: 20 }, async (seed) => {
      const random = seededRandom(seed)
      const { bytes, frames, blocks } = sample(random, 30)
      const got = seen()
      pushInPieces(new Decoder(got), bytes, random, random() < 0.3 ? 5 : 20_000)
      expect(got.frames.map(({ kind }) => kind)).toEqual(frames.map(({ kind }) => kind))
      expect(got.frames.every(({ body }, i) => same(body, (frames[i] as { body: Uint8Array }).body))).toBe(true)
      expect([...got.blocks.keys()]).toEqual([...blocks.keys()])
      for (const [id, block] of blocks) expect(same(got.blocks.get(id) as Uint8Array, block)).toBe(true)
    })
  })

  test('gives each block memory of its own, and nothing more', () => {
    const got = seen()
    const chunk = Buffer.concat([blockFrame(0, seededBytes(300, 1)), blockFrame(2, seededBytes(400, 2))])
    new Decoder(got).push(chunk)
    chunk.fill(0)
    expect(got.blocks.get(0)).toEqual(seededBytes(300, 1))
    for (const bytes of got.blocks.values()) expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
  })

  test('answers any bytes with frames within the limits or a breach', async () => {
    let breaches = 0
    await forSeeds('damaged frames', { seeds: 400, short: 100 }, async (seed) => {
      const random = seededRandom(seed)
      const { bytes } = sample(random, 20)
      for (let i = 0; i < 5; i++) bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256)
      const got = seen()
      try {
        pushInPieces(new Decoder(got), bytes, random, 5_000)
        for (const { body } of got.frames) {
          for (const read of [entriesOf, idsOf])
            try {
              for (const _ of read(body));
            } catch (error) {
              expect(error).toBeInstanceOf(BreachError)
            }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(BreachError)
        breaches++
      }
      for (const { body } of got.frames) expect(body.byteLength).toBeLessThanOrEqual(limits.bodyBytes)
    })
    expect(breaches).toBeGreaterThan(0)
  })

  test.each([
    ['a block above the limit', Uint8Array.of(0, 0x20, 0, 5, Kind.block, 0, 0, 0, 0)],
    ['a block without room for its number', Uint8Array.of(0, 0, 0, 3, Kind.block, 0, 0, 0, 0)],
    ['another frame above the limit', Uint8Array.of(0, 2, 0, 1, Kind.want)],
    ['a frame of four gibibytes', Uint8Array.of(255, 255, 255, 255, 99)]
  ])('refuses %s before it takes memory', (_, bytes) => {
    expect(() => new Decoder(seen()).push(bytes)).toThrow(BreachError)
  })

  test('takes memory for a block only when it was asked for', () => {
    const refusing: FrameHandler = {
      ...seen(),
      expects: () => {
        throw new BreachError('nobody asked')
      }
    }
    expect(() => new Decoder(refusing).push(Uint8Array.of(0, 0x20, 0, 4, Kind.block, 0, 0, 0, 0))).toThrow(
      'nobody asked'
    )
  })
})

describe('wants and numbers', () => {
  test('come back as they were', () => {
    const entries = [34, 66, 80].map((length, id) => ({ id: 4_000_000_000 + id, multihash: seededBytes(length, id) }))
    expect([...entriesOf(entriesFrame(Kind.want, entries).subarray(5))]).toEqual(entries)
    const ids = [0, 1, 2 ** 31, 2 ** 32 - 1]
    expect([...idsOf(idsFrame(Kind.cancel, ids).subarray(5))]).toEqual(ids)
  })

  test.each([
    ['cut short', Uint8Array.of(0, 0, 0, 1, 34, 1, 2, 3)],
    ['without a hash', Uint8Array.of(0, 0, 0, 1, 0)],
    ['with a hash that is too long', Uint8Array.of(0, 0, 0, 1, 81, ...new Uint8Array(81))]
  ])('are refused %s', (_, body) => {
    expect(() => [...entriesOf(body)]).toThrow(BreachError)
  })
})
