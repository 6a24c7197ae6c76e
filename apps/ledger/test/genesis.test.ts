import * as dagCbor from '@ipld/dag-cbor'
import { describe, expect, it } from 'vitest'
import { decodeGenesis, encodeGenesis, type Genesis } from '../src/rules/genesis.ts'
import { maxAmount } from '../src/rules/limits.ts'
import { accountIds } from './support.ts'

const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })

async function example(): Promise<Genesis> {
  const [a = '', b = '', c = ''] = await accountIds(3)
  return {
    network: 'test',
    balances: new Map([
      [b, 2n ** 60n],
      [a, 5n]
    ]),
    witnesses: [c, a],
    salt: new Uint8Array(16).fill(7)
  }
}

describe('genesis', () => {
  it('has one form, whatever the order in which it was given', async () => {
    const genesis = await example()
    const block = encodeGenesis(genesis)
    const other = encodeGenesis({
      ...genesis,
      balances: new Map([...genesis.balances].reverse()),
      witnesses: [...genesis.witnesses].reverse()
    })
    expect(other.cid.toString()).toBe(block.cid.toString())
    const decoded = decodeGenesis(block.bytes)
    expect(decoded.genesis.balances).toEqual(genesis.balances)
    expect(decoded.topic).toBe(`p2pl-ledger/1/${block.cid.toString()}`)
    const salted = encodeGenesis({ ...genesis, salt: new Uint8Array(16) })
    expect(salted.topic).not.toBe(block.topic)
  })

  it('is refused when a field is wrong', async () => {
    const good = await example()
    const [a = ''] = await accountIds(1)
    const wrong: Genesis[] = [
      { ...good, network: '' },
      { ...good, network: 'x'.repeat(65) },
      { ...good, salt: new Uint8Array(15) },
      { ...good, witnesses: [a, a] },
      { ...good, witnesses: ['somebody'] },
      { ...good, witnesses: await accountIds(32) },
      { ...good, balances: new Map([[a, 0n]]) },
      { ...good, balances: new Map([['x', 1n]]) },
      { ...good, balances: new Map((await accountIds(2)).map((id) => [id, maxAmount])) }
    ]
    for (const genesis of wrong) expect(() => encodeGenesis(genesis)).toThrow(refused)
  })

  it('is refused when its bytes are not the ones that it makes', async () => {
    const { bytes } = encodeGenesis(await example())
    const map = dagCbor.decode<Record<string, unknown>>(bytes)
    const variants: unknown[] = [
      { ...map, balances: [...(map['balances'] as unknown[])].reverse() },
      { ...map, balances: [...(map['balances'] as unknown[]), (map['balances'] as unknown[])[0]] },
      { ...map, balances: {} },
      { ...map, balances: [[1]] },
      { ...map, witnesses: 5 },
      { ...map, kind: 'p2pl-ledger/2' },
      { ...map, extra: true },
      []
    ]
    for (const variant of variants) expect(() => decodeGenesis(dagCbor.encode(variant))).toThrow(refused)
    expect(() => decodeGenesis(new Uint8Array([0xff]))).toThrow(refused)
    expect(() => decodeGenesis(new Uint8Array(600_000))).toThrow(refused)
  })
})
