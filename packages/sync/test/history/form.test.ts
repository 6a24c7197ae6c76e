import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, test } from 'vitest'
import { Malformed } from '../../src/cbor.ts'
import { formatCursor, parseCursor } from '../../src/history/cursor.ts'
import { areHeaders, decodeFrame, encodeFrame } from '../../src/history/frame.ts'

const cid = CID.createV1(raw.code, await sha256.digest(Uint8Array.of(1)))
const headers = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }).filter(({ length }) => length <= 64),
  fc.string({ maxLength: 200, unit: 'grapheme' }).filter(({ length }) => length <= 1024),
  { maxKeys: 16, noNullPrototype: false }
)

test('a frame is read as it was written, as DAG-CBOR', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => new Uint8Array(bytes)),
    fc.maxSafeNat().map((size) => ({ cid, size }))
  )
  fc.assert(
    fc.property(headers, content, (given, payload) => {
      const bytes = encodeFrame({ headers: given, content: payload })
      const read = decodeFrame(bytes)
      expect({ ...read.headers }).toEqual({ ...given })
      expect(read.content).toEqual(payload)
      const [version, texts] = dagCbor.decode<[number, string[]]>(bytes)
      expect([version, texts]).toEqual([1, Object.entries(given).flat()])
    }),
    { seed: 1 }
  )
})

test('a byte order mark is part of a header', () => {
  const marked = { '\ufeffname': '\ufeffvalue' }
  expect({ ...decodeFrame(encodeFrame({ headers: marked, content: new Uint8Array() })).headers }).toEqual(marked)
})

test('bytes of others are a frame or malformed, and nothing else', () => {
  fc.assert(
    fc.property(headers, fc.nat(), fc.nat(255), (given, at, value) => {
      const bytes = encodeFrame({ headers: given, content: { cid, size: 70_000 } })
      bytes[at % bytes.length] = value
      try {
        const { headers: read } = decodeFrame(bytes)
        expect(areHeaders(read)).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed)
      }
    }),
    { seed: 1 }
  )
})

test.each([
  ['another version', [2, [], new Uint8Array()]],
  ['a header without a value', [1, ['name'], new Uint8Array()]],
  ['a header twice', [1, ['a', 'b', 'a', 'c'], new Uint8Array()]],
  ['a header without a name', [1, ['', 'b'], new Uint8Array()]],
  ['a long value', [1, ['a', 'b'.repeat(1025)], new Uint8Array()]],
  ['17 headers', [1, Array.from({ length: 34 }, (_, i) => `${i}`), new Uint8Array()]],
  ['a directory of DAG-CBOR', [1, [], CID.createV1(dagCbor.code, cid.multihash).bytes, 1]],
  ['no CID', [1, [], Uint8Array.of(1, 2, 3), 1]],
  ['a negative size', [1, [], cid.bytes, -1]],
  ['nothing', [1, []]],
  ['more', [1, [], cid.bytes, 1, 1]]
])('%s is malformed', (_, value) => {
  expect(() => decodeFrame(new Uint8Array(dagCbor.encode(value)))).toThrow(Malformed)
})

test('a cursor is read as it was written', () => {
  const cursors = fc.record({
    store: fc.constant('0123456789abcdef'),
    through: fc.integer({ min: 300, max: 10 ** 12 }),
    open: fc
      .uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 100 })
      .map((places) => places.toSorted((a, b) => a - b))
  })
  fc.assert(
    fc.property(cursors, (cursor) => {
      expect(parseCursor(formatCursor(cursor), 100)).toEqual(cursor)
    }),
    { seed: 1 }
  )
})

test.each(['2-1', '1,1', '0', '1-200', '5', '1-2-3', ',1', '1,', '-'])('%s are no open places', (open) => {
  expect(parseCursor(`0123456789abcdef.4.${open}`, 100)).toBeUndefined()
})

test('a cursor with a million open places costs nothing', () => {
  expect(parseCursor('0123456789abcdef.999999999999.1-999999999999', 100)).toBeUndefined()
})
