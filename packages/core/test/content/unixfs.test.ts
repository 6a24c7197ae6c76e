import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { expect, it } from 'vitest'
import { decodeUnixfs, unixfsTypes } from '../../src/content/unixfs.ts'

const types = [
  ['raw', unixfsTypes.raw],
  ['directory', unixfsTypes.directory],
  ['file', unixfsTypes.file],
  ['symlink', unixfsTypes.symlink],
  ['hamt-sharded-directory', unixfsTypes.hamtShard]
] as const

it('reads the same as ipfs-unixfs, whatever else the node says', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined }),
      // ipfs-unixfs writes sizes and sums of them from 2^31 to 2^32 - 1 as garbage.
      fc.array(fc.oneof(fc.nat({ max: 2 ** 26 }), fc.integer({ min: 2 ** 32, max: 2 ** 50 })), { maxLength: 20 }),
      fc.option(fc.nat({ max: 0o7777 }), { nil: undefined }),
      fc.option(fc.nat(), { nil: undefined }),
      ([name, type], data, sizes, mode, seconds) => {
        const encoded = new UnixFS({
          type: name,
          ...(data === undefined ? {} : { data }),
          blockSizes: sizes.map(BigInt),
          ...(mode === undefined ? {} : { mode }),
          ...(seconds === undefined ? {} : { mtime: { secs: BigInt(seconds) } })
        }).marshal()
        expect(decodeUnixfs(encoded)).toEqual({ type, data: data ?? new Uint8Array(0), blockSizes: sizes })
      }
    ),
    { seed: 1 }
  )
})

it('takes a node without a type for a file, and the last of several', () => {
  expect(decodeUnixfs(Uint8Array.of(0x12, 1, 7))).toEqual({ type: 2, data: Uint8Array.of(7), blockSizes: [] })
  expect(decodeUnixfs(Uint8Array.of(0x08, 1, 0x08, 4)).type).toBe(4)
})

it.each([
  ['cut short', Uint8Array.of(0x12, 2, 7)],
  ['a number without an end', Uint8Array.of(0x20, 0x80)],
  ['data as a number', Uint8Array.of(0x10, 1)],
  ['packed sizes', Uint8Array.of(0x22, 1, 1)]
])('refuses %s', (_name, bytes) => {
  expect(() => decodeUnixfs(bytes)).toThrow(RangeError)
})
