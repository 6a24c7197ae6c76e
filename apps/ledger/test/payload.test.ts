import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { maxAmount, maxPayloadBytes } from '../src/rules/limits.ts'
import { decodePayload, encodePayload, isWellFormed, type Payload } from '../src/rules/payload.ts'
import { accountIds, cidOf, rawEntry } from './support.ts'

let alice = ''
let bob = ''
beforeAll(async () => {
  ;[alice = '', bob = ''] = await accountIds(2)
})

const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })

function encodeRaw(value: unknown): Uint8Array {
  return dagCbor.encode(value)
}

describe('payload', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc.record({
          sequence: fc.nat(),
          amount: fc.bigInt(1n, maxAmount),
          memo: fc.option(fc.stringMatching(/^[a-zà-ÿ0-9 ."€✓]{1,60}$/u), { nil: undefined }),
          reference: fc.option(fc.stringMatching(/^[a-z0-9#/.-]{1,60}$/), { nil: undefined })
        }),
        (fields) => {
          const transfer: Payload = { type: 'transfer', to: bob, ...fields }
          expect(decodePayload(encodePayload(transfer))).toEqual(transfer)
        }
      ),
      { seed: 1 }
    )
    const record: Payload = {
      type: 'record',
      sequence: 3,
      cid: cidOf('document', 0x55),
      name: 'a.txt',
      mediaType: 'text/plain; charset=utf-8',
      size: 17
    }
    const decoded = decodePayload(encodePayload(record))
    expect({ ...decoded, cid: String(decoded.type === 'record' && decoded.cid) }).toEqual({
      ...record,
      cid: record.cid.toString()
    })
  })

  it('names an account in one spelling only, so that nobody has two accounts', () => {
    // Text that some base58 decoders accept: a character beyond their table, after the one that stands for a zero byte.
    const aliases = [`1\u0100${alice.slice(1)}`, `1\u4e2d${alice.slice(1)}`]
    for (const to of [...aliases, ` ${alice}`, `${alice} `]) {
      expect(() => encodePayload({ type: 'transfer', sequence: 0, to, amount: 1n }), to).toThrow(refused)
      expect(isWellFormed(rawEntry('alias', alice, encodeRaw({ type: 'transfer', sequence: 0, to, amount: 1 })))).toBe(
        false
      )
    }
  })

  it('is refused in any other form than its own', () => {
    const good = { type: 'transfer', sequence: 0, to: bob, amount: 1 }
    expect(decodePayload(encodeRaw(good))).toMatchObject({ amount: 1n })
    const wrong: unknown[] = [
      { ...good, amount: 0 },
      { ...good, amount: -1 },
      { ...good, amount: 1.5 },
      { ...good, amount: maxAmount + 1n },
      { ...good, amount: '1' },
      { ...good, to: 'bob' },
      { ...good, to: 7 },
      { ...good, sequence: -1 },
      { ...good, sequence: 0.5 },
      { ...good, sequence: undefined },
      { ...good, memo: '' },
      { ...good, memo: 'x'.repeat(281) },
      { ...good, memo: 'a\u001b[2Jb' },
      { ...good, memo: 'a\u202eb' },
      { ...good, memo: null },
      { ...good, extra: 1 },
      { ...good, type: 'mint' },
      { type: 'record', sequence: 0, cid: 'bafy', name: 'a', mediaType: 'text/plain', size: 1 },
      { type: 'record', sequence: 0, cid: cidOf('x', 0x99), name: 'a', mediaType: 'text/plain', size: 1 },
      { type: 'record', sequence: 0, cid: cidOf('x', 0x55), name: 'a', mediaType: 'text', size: 1 },
      { type: 'record', sequence: 0, cid: cidOf('x', 0x55), name: 'a', mediaType: 'text/plain', size: -1 },
      [good],
      null,
      'transfer'
    ]
    for (const value of wrong) {
      const bytes = encodeRaw(stripUndefined(value))
      expect(
        () => decodePayload(bytes),
        JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v))
      ).toThrow(refused)
    }
  })

  it('is refused when its bytes are not canonical, too long or garbage', () => {
    const bytes = encodePayload({ type: 'transfer', sequence: 0, to: bob, amount: 1n })
    expect(() => decodePayload(new Uint8Array([...bytes, 0]))).toThrow(refused)
    // 0x18 0x01: the number 1 in two bytes.
    const text = Buffer.from(bytes).toString('hex')
    const longer = Buffer.from(text.replace('66616d6f756e7401', '66616d6f756e741801'), 'hex')
    expect(longer.length).toBe(bytes.length + 1)
    expect(() => decodePayload(longer)).toThrow(refused)
    expect(() => decodePayload(new Uint8Array(maxPayloadBytes + 1))).toThrow(refused)
    expect(() => decodePayload(new Uint8Array(maxPayloadBytes).fill(0x81))).toThrow(refused)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        expect(() => decodePayload(garbage)).toThrow(refused)
      }),
      { seed: 1 }
    )
  })

  it('makes an entry ill-formed that pays its own author', () => {
    const payload: Payload = { type: 'transfer', sequence: 0, to: alice, amount: 1n }
    expect(isWellFormed(rawEntry('a', alice, payload))).toBe(false)
    expect(isWellFormed(rawEntry('a', bob, payload))).toBe(true)
    expect(isWellFormed(rawEntry('a', bob, new Uint8Array([1, 2, 3])))).toBe(false)
  })
})

function stripUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}
