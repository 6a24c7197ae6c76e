import * as dagCbor from '@ipld/dag-cbor'
import { ed25519, identityFromSeed } from '@p2pl/core'
import { seededBytes, seededRandom } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { compareBytes } from '../src/bytes.ts'
import type { Bytes } from '../src/bytes.ts'
import { Malformed, Reader, Writer } from '../src/cbor.ts'
import { cidOf, digestOf, hash } from '../src/cid.ts'
import {
  decodeEntry,
  encodeEntry,
  maxEntryBytes,
  parseEntry,
  signedPart,
  signingDomain,
  signingInput,
  widestBounds
} from '../src/entry/codec.ts'
import type { EntryFields } from '../src/entry/codec.ts'
import { EntryRecord } from '../src/entry/record.ts'
import { clockOfKey, digestOfKey, keyOf } from '../src/entry/key.ts'
import { decodeNode, encodeInner, encodeLeaf } from '../src/tree/node.ts'
import { decodeMessage, encodeMessage } from '../src/wire/messages.ts'
import type { WireMessage } from '../src/wire/messages.ts'

const bounds = { maxParents: 8, maxPayloadBytes: 1000 }

function fieldsFrom(seed: number, parents: number, clock: number, payload: number): EntryFields {
  return {
    parents: Array.from({ length: parents }, (_, i) => seededBytes(32, seed + i + 1)).sort(compareBytes),
    previous: seed % (parents + 1),
    clock,
    author: seededBytes(32, seed),
    payload: seededBytes(payload, seed)
  }
}

test('an entry is exactly what a DAG-CBOR library makes of the same values', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 8 }),
      fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 0, max: 1e9 }),
      async (parents, clock, payload, seed) => {
        const fields = fieldsFrom(seed, parents, clock, payload)
        const signature = seededBytes(64, seed)
        const bytes = encodeEntry(fields, signature)
        expect(bytes).toEqual(
          new Uint8Array(
            dagCbor.encode([
              2,
              fields.parents.map(cidOf),
              fields.previous,
              clock,
              fields.author,
              fields.payload,
              signature
            ])
          )
        )
        expect(bytes.length).toBeLessThanOrEqual(maxEntryBytes(bounds))
        const entry = await decodeEntry(bytes, bounds)
        expect(entry).toMatchObject({ ...fields, signature })
        expect(cidOf(entry.digest).toString()).toBe(CID.createV1(0x71, cidOf(await hash(bytes)).multihash).toString())
      }
    ),
    { numRuns: 200, seed: 1 }
  )
})

test('of all byte strings near an entry, none decodes but canonical ones', async () => {
  const original = encodeEntry(fieldsFrom(7, 3, 9, 40), seededBytes(64, 7))
  const random = seededRandom(3)
  let decoded = 0
  for (let i = 0; i < 20_000; i++) {
    const bytes = original.slice()
    for (let k = Math.floor(random() * 3); k >= 0; k--) bytes[Math.floor(random() * 30)] = random() * 256
    const cut = random() < 0.2 ? bytes.slice(0, Math.floor(random() * bytes.length)) : bytes
    try {
      const entry = new EntryRecord(cut, parseEntry(cut, bounds), new Uint8Array(32))
      const { parents, previous, clock, author, payload, signature } = entry
      decoded++
      expect(encodeEntry({ parents, previous, clock, author, payload }, signature)).toEqual(cut)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
    }
  }
  expect(decoded).toBeGreaterThan(0)
})

test.each<[string, (fields: EntryFields) => Bytes]>([
  [
    'parents out of order',
    (fields) => encodeEntry({ ...fields, parents: [...fields.parents].reverse() }, seededBytes(64, 1))
  ],
  [
    'a parent twice',
    (fields) => encodeEntry({ ...fields, parents: [fields.parents[0]!, fields.parents[0]!] }, seededBytes(64, 1))
  ],
  ['too many parents', () => encodeEntry(fieldsFrom(1, 9, 2, 1), seededBytes(64, 1))],
  ['clock 0', (fields) => encodeEntry({ ...fields, clock: 0 }, seededBytes(64, 1))],
  ['a payload over the limit', () => encodeEntry(fieldsFrom(1, 1, 2, 1001), seededBytes(64, 1))],
  ['a short signature', (fields) => encodeEntry(fields, seededBytes(63, 1))],
  ['trailing bytes', (fields) => Uint8Array.of(...encodeEntry(fields, seededBytes(64, 1)), 0)],
  ['another version', (fields) => encodeEntry(fields, seededBytes(64, 1)).fill(1, 1, 2)],
  ['a previous entry that is no parent', (fields) => encodeEntry({ ...fields, previous: 3 }, seededBytes(64, 1))],
  ['nothing', () => new Uint8Array()],
  ['a number in a longer form', () => new Writer().raw(Uint8Array.of(0x86, 0x18, 0x01)).end()]
])('refuses %s', async (_, make) => {
  await expect(decodeEntry(make(fieldsFrom(5, 2, 3, 10)), bounds)).rejects.toThrow(Malformed)
})

test('numbers beyond the safe integers and of every length are read as they are, or not at all', () => {
  for (const value of [0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER]) {
    const bytes = new Writer().uint(value).end()
    expect(bytes).toEqual(new Uint8Array(dagCbor.encode(value)))
    expect(new Reader(bytes).uint()).toBe(value)
  }
  expect(() => new Reader(Uint8Array.of(0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0)).uint()).toThrow(Malformed)
})

test('a signature counts for its topic and its entry alone', async () => {
  const identity = await identityFromSeed(seededBytes(32, 1))
  const fields = { ...fieldsFrom(2, 2, 5, 20), author: identity.publicKey }
  const domain = signingDomain('here')
  const signature = await identity.sign(signingInput(domain, fields))
  const bytes = encodeEntry(fields, signature)
  expect(await ed25519.verify(fields.author, signedPart(domain, bytes), signature)).toBe(true)
  expect(await ed25519.verify(fields.author, signedPart(signingDomain('there'), bytes), signature)).toBe(false)
  const other = encodeEntry({ ...fields, clock: 6 }, signature)
  expect(await ed25519.verify(fields.author, signedPart(domain, other), signature)).toBe(false)
})

test('nodes are DAG-CBOR whose links any tool can follow', () => {
  const children = [3, 1, 2]
    .map((i) => ({ key: keyOf(i, seededBytes(32, i).fill(1, 31)), digest: seededBytes(32, 10 + i), count: i }))
    .sort((a, b) => compareBytes(a.key, b.key))
  const inner = encodeInner(1, children)
  expect(dagCbor.decode(inner)).toEqual([2, 1, children.map(({ key, digest, count }) => [key, cidOf(digest), count])])
  expect(decodeNode(inner)).toEqual({ level: 1, children })
  const entries = [seededBytes(10, 1), seededBytes(300, 2)]
  expect(dagCbor.decode(encodeLeaf(entries))).toEqual([2, 0, entries])
  expect(decodeNode(encodeLeaf(entries))).toEqual({ level: 0, entries })
  expect(() => decodeNode(encodeInner(1, [...children].reverse()))).toThrow(Malformed)
  expect(() => decodeNode(encodeInner(1, []))).toThrow(Malformed)
})

test('keys keep clock and digest, and order by clock first', () => {
  const key = keyOf(2 ** 40 + 7, seededBytes(32, 1))
  expect(clockOfKey(key)).toBe(2 ** 40 + 7)
  expect(digestOfKey(key)).toEqual(seededBytes(32, 1))
  expect(compareBytes(keyOf(255, seededBytes(32, 1).fill(255)), keyOf(256, new Uint8Array(32)))).toBeLessThan(0)
})

test('only CIDs that an entry can have are taken for one', () => {
  const digest = seededBytes(32, 1)
  expect(digestOf(cidOf(digest))).toEqual(digest)
  expect(digestOf(CID.createV1(0x55, cidOf(digest).multihash))).toBeUndefined()
  expect(digestOf('bafy')).toBeUndefined()
  expect(digestOf(undefined)).toBeUndefined()
})

test('messages come back as they were, and mutants of them never crash the reader', () => {
  const providers = [
    { network: 'libp2p', id: '12D3KooW', addresses: ['/ip4/127.0.0.1/tcp/1', '/memory/ä'] },
    { network: 'bittorrent', id: 'ab', addresses: [] }
  ]
  const messages: WireMessage[] = [
    { kind: 'announcement', providers, entries: [seededBytes(100, 1), seededBytes(7, 2)] },
    { kind: 'beacon', providers, root: seededBytes(32, 3), count: 12, proofs: [], padding: 0 },
    {
      kind: 'beacon',
      providers,
      root: seededBytes(32, 3),
      count: 12,
      ask: { nonce: seededBytes(16, 9), share: 256 },
      proofs: [{ nonce: seededBytes(16, 10), proof: seededBytes(32, 11) }],
      padding: 300
    },
    { kind: 'request', wanted: [seededBytes(32, 5)], padding: 70 },
    { kind: 'answer', blocks: [seededBytes(50, 6)], larger: [{ digest: seededBytes(32, 7), size: 70_000 }] }
  ]
  const random = seededRandom(8)
  for (const message of messages) {
    const bytes = encodeMessage(message)
    expect(decodeMessage(bytes)).toEqual(message)
    expect(() => dagCbor.decode(bytes)).not.toThrow()
    for (let i = 0; i < 5000; i++) {
      const mutant = bytes.slice(0, random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length)
      if (mutant.length > 0) mutant[Math.floor(random() * mutant.length)] = random() * 256
      try {
        decodeMessage(mutant)
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
      }
    }
  }
})

test('the widest bounds stay below the block limit that every backend has', () => {
  expect(maxEntryBytes(widestBounds)).toBeLessThan(512 * 1024)
})
