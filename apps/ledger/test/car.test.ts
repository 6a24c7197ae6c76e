import { seededRandom, temporaryFolder } from '@p2pl/tooling-vitest'
import { CarReader, CarWriter } from '@ipld/car'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Home } from '../src/node/home.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openOffline } from '../src/run/open-node.ts'
import { verifyCar } from '../src/node/verify.ts'
import type { StatusView } from '../src/service/views.ts'
import { accountIds, makeHomes } from './support.ts'

const folder = temporaryFolder()
const damaged = expect.objectContaining({ code: 'INVALID_CONTENT' })
let homes: Home[] = []
let source: LedgerNode
let status: StatusView
let car: Uint8Array

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 1_000) yield bytes.subarray(i, i + 1_000)
}

beforeAll(async () => {
  homes = await makeHomes(folder, ['source', 'target'])
  source = await openOffline(homes[0] as Home)
  const ids = await accountIds(5)
  const random = seededRandom(1)
  await Promise.all(
    Array.from({ length: 149 }, async (_, i) => {
      const to = ids[Math.floor(random() * ids.length)] ?? ''
      await source.transfer({ to, amount: BigInt(1 + Math.floor(random() * 9)), memo: `number ${i}`, force: true })
    })
  )
  await source.transfer({ to: ids[0] ?? '', amount: 1_000n, force: true })
  car = await collect(source.exportCar())
  status = await source.status()
})

afterAll(async () => {
  await source.stop()
})

describe('a CAR file', () => {
  it('verifies from its root alone, with the balances of the node', async () => {
    const found = await verifyCar(stream(car), { genesis: homes[0]?.genesis, root: CID.parse(status.root) })
    expect(found).toMatchObject({
      root: status.root,
      balances: status.balances,
      genesis: status.genesis,
      entries: 150,
      rejected: status.rejected
    })
    expect(status.rejected).toBeGreaterThan(0)
    expect(found.accounts).toEqual(await source.balances())
  })

  it('has the roots of the view and of the genesis, and no block twice', async () => {
    const reader = await CarReader.fromBytes(car)
    expect((await reader.getRoots()).map(String)).toEqual([status.root, status.genesis])
    const cids: string[] = []
    for await (const cid of reader.cids()) cids.push(cid.toString())
    expect(new Set(cids).size).toBe(cids.length)
  })

  it('is refused by the node of another ledger', async () => {
    const [other] = await makeHomes(`${folder}/other`, ['one'])
    const node = await openOffline(other as Home)
    await expect(node.importCar(stream(car))).rejects.toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    await node.stop()
    await expect(verifyCar(stream(car), { genesis: other?.genesis })).rejects.toThrow(damaged)
    await expect(verifyCar(stream(car), { root: homes[0]?.genesis.cid })).rejects.toThrow(damaged)
  })

  it('does not verify with any bit of it changed', async () => {
    const random = seededRandom(2)
    for (let i = 0; i < 25; i++) {
      const position = Math.floor(random() * car.length)
      const changed = car.slice()
      changed[position] = (changed[position] ?? 0) ^ (1 << Math.floor(random() * 8))
      const expected = { genesis: homes[0]?.genesis, root: CID.parse(status.root) }
      await expect(verifyCar(stream(changed), expected), `byte ${position}`).rejects.toThrow(damaged)
    }
  })

  it('does not verify when it is cut short', async () => {
    const random = seededRandom(3)
    for (let i = 0; i < 20; i++) {
      const length = Math.floor(random() * car.length)
      await expect(verifyCar(stream(car.slice(0, length))), `${length} bytes`).rejects.toThrow(damaged)
    }
  })

  it('does not verify with a leaf left out', async () => {
    const reader = await CarReader.fromBytes(car)
    const roots = await reader.getRoots()
    const blocks: { cid: CID; bytes: Uint8Array }[] = []
    for await (const { cid, bytes } of reader.blocks()) blocks.push({ cid: CID.asCID(cid) ?? cid, bytes })
    const { writer, out } = CarWriter.create(roots)
    const written = collect(out)
    for (const block of blocks.slice(0, -1)) await writer.put(block)
    await writer.close()
    await expect(verifyCar(stream(await written))).rejects.toThrow(damaged)
  })

  it('makes another node equal when it is imported, and again changes nothing', async () => {
    // In one process the nodes would reach each other, but the entries must come from the file.
    await source.stop()
    const target = await openOffline(homes[1] as Home)
    expect(await target.importCar(stream(car))).toEqual({ added: 150, known: 0, refused: 0 })
    const { root, balances, rejected } = status
    expect(await target.status()).toMatchObject({ root, balances, rejected, entries: 150 })
    expect(await target.importCar(stream(car))).toEqual({ added: 0, known: 150, refused: 0 })
    await target.stop()
  })
})
