import { CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { seededBytes, seededRandom, temporaryFolder } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Block, CarFile } from '../src/car/car-file.ts'
import { cborCid } from '../src/cbor-cid.ts'
import type { Home } from '../src/node/home.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openOffline } from '../src/run/open-node.ts'
import { verifyCar } from '../src/node/verify.ts'
import { accountIds, cidOf, makeHomes } from './support.ts'

const folder = temporaryFolder()
const entries = 9
let homes: Home[] = []
let source: LedgerNode
let car: Uint8Array

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}

async function* stream(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function blocksOf(bytes: Uint8Array, size?: number): Promise<{ blocks: Block[]; file: CarFile }> {
  const file = await CarFile.open(stream(bytes, size))
  const blocks: Block[] = []
  for await (const block of file.blocks()) blocks.push(block)
  return { blocks, file }
}

async function written(roots: CID[], blocks: readonly Block[]): Promise<Uint8Array> {
  const { writer, out } = CarWriter.create(roots)
  const all = collect(out)
  for (const block of blocks) await writer.put(block)
  await writer.close()
  return await all
}

beforeAll(async () => {
  homes = await makeHomes(folder, ['source', ...Array.from({ length: 12 }, (_, i) => `target ${i}`)])
  source = await openOffline(homes[0] as Home)
  const [to = ''] = await accountIds(1)
  for (let i = 0; i < entries; i++) await source.transfer({ to, amount: 1n, memo: `number ${i}` })
  car = await collect(source.exportCar())
  await source.stop()
})

/** Runs the work on a node without entries. */
let next = 1
async function fresh<T>(work: (node: LedgerNode) => Promise<T>): Promise<T> {
  const node = await openOffline(homes[next++] as Home)
  try {
    return await work(node)
  } finally {
    await node.stop()
  }
}

describe('a CAR file that is cut short', () => {
  it('gives all entries that are whole, and says where it ends', async () => {
    await fresh(async (node) => {
      const result = await node.importCar(stream(car.slice(0, -100)))
      expect(result).toMatchObject({ added: entries - 1, known: 0, refused: 0 })
      expect(result.incomplete).toMatch(/^the file is not whole: it is cut short at byte \d+, after \d+ whole blocks$/)
      expect((await node.status()).entries).toBe(entries - 1)
      // The whole file brings the missing entry.
      expect(await node.importCar(stream(car))).toEqual({ added: 1, known: entries - 1, refused: 0 })
    })
  })

  it('at any byte gives no more and no less', async () => {
    const random = seededRandom(4)
    const lengths = Array.from({ length: 30 }, () => Math.floor(random() * car.length)).sort((a, b) => a - b)
    await fresh(async (node) => {
      let before = 0
      for (const length of lengths) {
        const work = node.importCar(stream(car.slice(0, length)))
        // With an incomplete head it is not a CAR file.
        const result = await work.catch((error: unknown) => error as { code: string })
        if ('code' in result) expect([result.code, before]).toEqual(['INVALID_CONTENT', 0])
        else expect(result).toMatchObject({ known: before, refused: 0 })
        const { entries: count } = await node.status()
        expect(count).toBeGreaterThanOrEqual(before)
        before = count
      }
      expect(before).toBeGreaterThan(entries / 2)
    })
  })

  it('is not verified, and neither is one with something behind it', async () => {
    const damaged = expect.objectContaining({ code: 'INVALID_CONTENT' })
    await expect(verifyCar(stream(car.slice(0, -1)))).rejects.toThrow(damaged)
    const more = Buffer.concat([car, Buffer.from([5, 1, 2])])
    await expect(verifyCar(stream(more))).rejects.toThrow(/is damaged: it is cut short at byte/)
    await fresh(async (node) => {
      expect(await node.importCar(stream(more))).toMatchObject({
        added: entries,
        refused: 0,
        incomplete: expect.any(String) as string
      })
    })
  })

  it('names what is no block', async () => {
    const at = car.length
    for (const [garbage, reason] of [
      [[0], 'what stands there is no block'],
      [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 'what stands there is no block'],
      [[0x80], 'it is cut short'],
      [[3, 9, 9, 9], 'what stands there is no block']
    ] as const) {
      const { file, blocks } = await blocksOf(Buffer.concat([car, Buffer.from(garbage)]))
      expect(file.damage).toMatchObject({ reason, at, blocks: blocks.length })
    }
  })
})

describe('a CAR file of any kind', () => {
  it('is read alike in pieces of any size', async () => {
    const whole = await blocksOf(car)
    for (const size of [1, 2, 7, 100_000]) {
      const { blocks, file } = await blocksOf(car, size)
      expect(blocks.map(({ cid }) => cid.toString())).toEqual(whole.blocks.map(({ cid }) => cid.toString()))
      expect(file.damage).toBeUndefined()
    }
  })

  it('of version 2 is read like the one in it', async () => {
    const pragma = Buffer.concat([Buffer.from([10]), dagCbor.encode({ version: 2 })])
    const head = Buffer.alloc(40)
    const padding = Buffer.alloc(9)
    head.writeBigUInt64LE(BigInt(pragma.length + head.length + padding.length), 16)
    head.writeBigUInt64LE(BigInt(car.length), 24)
    const index = Buffer.from(seededBytes(200, 1))
    const { blocks, file } = await blocksOf(Buffer.concat([pragma, head, padding, car, index]), 50)
    expect(blocks).toHaveLength((await blocksOf(car)).blocks.length)
    expect(file.damage).toBeUndefined()
    await expect(blocksOf(Buffer.concat([pragma, head.subarray(0, 20)]))).rejects.toMatchObject({
      code: 'INVALID_CONTENT'
    })
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('this is no CAR file at all')],
    ['an endless head', Buffer.from([0xff, 0xff, 0xff, 0x7f, 1])],
    ['a head that is no map', Buffer.from([1, 0x80])],
    ['roots that are none', Buffer.concat([Buffer.from([19]), dagCbor.encode({ version: 1, roots: [1] })])],
    ['an unknown version', Buffer.concat([Buffer.from([10]), dagCbor.encode({ version: 3 })])]
  ])('is told from %s', async (_, bytes) => {
    await expect(blocksOf(bytes)).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
  })

  it('verifies in any order of its blocks', async () => {
    const { blocks, file } = await blocksOf(car)
    const shuffled = await written([...file.roots], blocks.toReversed())
    expect(await verifyCar(stream(shuffled))).toMatchObject({ entries })
  })
})

describe('a CAR file that would cost much', () => {
  const roots = (): CID[] => [cidOf('root'), (homes[0] as Home).genesis.cid]

  it('of empty blocks is refused before most of it is read', async () => {
    const empty = new Uint8Array(0)
    const block = await written(roots(), [{ cid: cborCid(empty), bytes: empty }])
    const head = await written(roots(), [])
    const section = block.slice(head.length)
    let sections = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield head
      for (; sections < 1_000_000; sections += 100) yield Buffer.concat(Array.from({ length: 100 }, () => section))
    }
    await fresh(async (node) => {
      await expect(node.importCar(endless())).rejects.toMatchObject({
        code: 'INVALID_CONTENT',
        message: expect.stringContaining('more than 1000 blocks of fewer than 48 bytes') as string
      })
    })
    expect(sections).toBeLessThan(2_000)
    sections = 0
    await expect(verifyCar(endless())).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
    expect(sections).toBeLessThan(2_000)
  })

  it('leaves the event loop to others, also when it comes in one piece', async () => {
    const blocks = Array.from({ length: 20_000 }, (_, i) => {
      const bytes = seededBytes(60, i)
      return { cid: cborCid(bytes), bytes }
    })
    const garbage = await written(roots(), blocks)
    let turns = 0
    let watching = true
    const watch = (): void => {
      turns++
      if (watching) setImmediate(watch)
    }
    watch()
    await fresh(async (node) => {
      const result = await node.importCar(stream(garbage, garbage.length))
      expect(result).toEqual({ added: 0, known: 0, refused: 20_000 })
    })
    watching = false
    expect(turns).toBeGreaterThan(10)
  })

  it('with a block of any size holds no more than the largest that is allowed', async () => {
    const head = await written(roots(), [])
    let given = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      // A block of a gigabyte begins here.
      yield Buffer.concat([head, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04])])
      for (; given < 1_000; given++) yield new Uint8Array(1_048_576)
    }
    const file = await CarFile.open(endless())
    for await (const _block of file.blocks());
    expect(file.damage).toMatchObject({ reason: 'what stands there is no block' })
    expect(given).toBeLessThan(2)
  })
})

afterAll(() => {
  expect(next).toBeLessThanOrEqual(homes.length)
})
