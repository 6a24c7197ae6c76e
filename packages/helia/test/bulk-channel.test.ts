import type { Block } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ChannelEvents } from '../src/engine/bulk/channel.ts'
import { blockHeaderBytes, entriesFrame, idsFrame, Kind, limits, writeBlockHeader } from '../src/engine/bulk/frames.ts'
import type { Want } from '../src/engine/bulk/want.ts'
import { channels, puppet, settled, Store } from './bulk.ts'
import { blockOf, same, textBlock } from './helper.ts'

let blocks: Block[] = []
beforeAll(async () => {
  blocks = await Promise.all(Array.from({ length: 40 }, (_, i) => blockOf(seededBytes(1_000 + i * 3_000, i))))
})

function want({ cid }: Block): Want {
  return {
    cid,
    session: '',
    found: () => undefined,
    nobody: () => undefined,
    at: [],
    lacking: new Set(),
    having: new Set(),
    asked: false,
    ended: false
  }
}

/** Notes the answers, by want. */
function answers(): { events: Pick<ChannelEvents, 'block' | 'have' | 'missing'>; of: Map<Want, Uint8Array | string> } {
  const of = new Map<Want, Uint8Array | string>()
  return {
    of,
    events: {
      block: (one, bytes) => void of.set(one, bytes),
      have: (one) => void of.set(one, 'have'),
      missing: (one) => void of.set(one, 'missing')
    }
  }
}

function entries(count: number, from = 0): { id: number; multihash: Uint8Array }[] {
  return Array.from({ length: count }, (_, i) => {
    const { cid } = blocks[i % blocks.length] as Block
    return { id: from + i, multihash: cid.multihash.bytes }
  })
}

/** Two ends of a channel: one wants all of the blocks, and does not read the answers that wait for it. */
async function standingStill(all: readonly Block[]) {
  const { events, of } = answers()
  const store = new Store(all)
  const ends = channels(store, events)
  ends.farPipe.standStill()
  const wants = all.map(want)
  for (const one of wants) ends.near.asker.want(one)
  ends.near.asker.flush()
  await until('the first answers wait', () => ends.farPipe.under > 0)
  return { ends, of, store, wants }
}

describe('a channel', () => {
  test('brings the blocks that the other side has, and says which it lacks', async () => {
    const { events, of } = answers()
    const { near } = channels(new Store(blocks), events)
    const wants = blocks.map(want)
    const absent = want(await textBlock('absent'))
    for (const one of [...wants, absent]) near.asker.want(one)
    near.asker.flush()
    await until('all answers', () => of.size === wants.length + 1)
    for (const [i, one] of wants.entries())
      expect(same(of.get(one) as Uint8Array, (blocks[i] as Block).bytes)).toBe(true)
    expect(of.get(absent)).toBe('missing')
    expect(near.idle).toBe(true)
  })

  test('tells what the other side has without bringing it', async () => {
    const { events, of } = answers()
    const store = new Store(blocks)
    const { near } = channels(store, events)
    const [there, absent] = [want(blocks[0] as Block), want(await textBlock('absent'))]
    near.asker.ask(there)
    near.asker.ask(absent)
    near.asker.flush()
    await until('both answers', () => of.size === 2)
    expect([of.get(there), of.get(absent), store.reads]).toEqual(['have', 'missing', 0])
  })

  test('brings nothing of what was cancelled before its turn', async () => {
    const { ends, of, store, wants } = await standingStill(blocks)
    const readBefore = store.reads
    for (const one of wants) ends.near.asker.cancel(one)
    ends.near.asker.flush()
    await until('the cancels have come', () => ends.nearPipe.under === 0)
    ends.farPipe.goOn()
    await until('the other side is done', () => ends.far.idle)
    await settled(ends)
    expect(of.size).toBe(0)
    expect(store.reads).toBe(readBefore)
    // Late answers are no breach.
    expect(ends.nearPipe.open).toBe(true)
  })

  test('holds two portions for a reader that stands still, and no more', async () => {
    const large = await Promise.all(Array.from({ length: 32 }, (_, i) => blockOf(seededBytes(512 * 1_024, 100 + i))))
    const { ends, of, store, wants } = await standingStill(large)
    await new Promise((resolve) => setImmediate(resolve))
    // The size of blocks is not known before the first portion: 16 of 64 KiB each would make a mebibyte.
    expect(store.reads).toBeLessThanOrEqual(20)
    ends.farPipe.goOn()
    await until('all of them', () => of.size === wants.length)
  })
})

describe('a channel ends when the other side', () => {
  test('wants more at once than it may', async () => {
    const { channel, pipe, far } = puppet({ get: () => new Promise(() => undefined), has: async () => false })
    far.send([entriesFrame(Kind.want, entries(limits.wants))])
    await until('they are taken', () => far.under === 0)
    expect(pipe.open).toBe(true)
    far.send([entriesFrame(Kind.want, entries(1, limits.wants))])
    await until('it is cut', () => !pipe.open)
    expect(pipe.error?.message).toContain('more at once than it may')
    expect(channel.open).toBe(false)
  })

  test.each([
    ['sends a block that was not asked for', () => blockFrame(7, new Uint8Array(10))],
    ['answers a question that was not asked', () => idsFrame(Kind.have, [7])],
    ['lacks what it was not asked for', () => idsFrame(Kind.missing, [7])],
    ['sends a want that is cut short', () => Uint8Array.of(0, 0, 0, 2, Kind.want, 1, 2)],
    ['sends a frame that is too long', () => Uint8Array.of(1, 0, 0, 0, Kind.cancel)]
  ])('%s', async (_, frame) => {
    const { pipe, far } = puppet(new Store(blocks))
    far.send([frame()])
    await until('it is cut', () => !pipe.open)
    expect(pipe.error?.name).toBe('BreachError')
  })

  test('answers one want twice', async () => {
    const { events, of } = answers()
    const { channel, pipe, far } = puppet(new Store([]), events)
    const one = want(blocks[0] as Block)
    channel.asker.want(one)
    channel.asker.flush()
    far.send([blockFrame(0, (blocks[0] as Block).bytes)])
    await until('the answer', () => of.size === 1)
    far.send([blockFrame(0, (blocks[0] as Block).bytes)])
    await until('it is cut', () => !pipe.open)
  })
})

describe('a channel bears', () => {
  test('cancels of nothing, and frames of kinds that it does not know', async () => {
    const { pipe, far, heard } = puppet(new Store(blocks))
    far.send([
      idsFrame(
        Kind.cancel,
        Array.from({ length: 10_000 }, (_, i) => i)
      ),
      Uint8Array.of(0, 0, 0, 3, 99, 1, 2, 3)
    ])
    far.send([entriesFrame(Kind.want, entries(1, 5))])
    await until('the answer', () => heard.length > 0)
    expect(Buffer.concat(heard).readUInt32BE(5)).toBe(5)
    expect(pipe.open).toBe(true)
  })

  test('wants that are cancelled and repeated without end', async () => {
    const store = new Store(blocks)
    const { pipe, far } = puppet(store)
    pipe.standStill()
    for (let i = 0; i < 200; i++)
      far.send([
        entriesFrame(Kind.want, entries(500, i * 500)),
        idsFrame(
          Kind.cancel,
          entries(500, i * 500).map(({ id }) => id)
        )
      ])
    await until('they are worked on', () => far.under === 0)
    expect(pipe.open).toBe(true)
    expect(store.reads).toBeLessThan(1_000)
  })
})

function blockFrame(id: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(blockHeaderBytes + bytes.byteLength)
  writeBlockHeader(frame, 0, id, bytes.byteLength)
  frame.set(bytes, blockHeaderBytes)
  return frame
}
