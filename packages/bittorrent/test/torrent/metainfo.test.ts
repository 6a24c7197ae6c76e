import { createHash } from 'node:crypto'
import { concatBytes } from '@p2pl/core/backend'
import { describe, expect, it, test } from 'vitest'
import { bdecode, bencode, entryOf, type Bencoded } from '../../src/tools/bencode.ts'
import { hexOf } from '../../src/tools/bytes.ts'
import { infoOfFile } from '../../src/torrent/metainfo/file.ts'
import { maxPieces, parseInfo, pieceCount, pieceSize } from '../../src/torrent/metainfo/info.ts'
import { parseMagnet } from '../../src/torrent/metainfo/magnet.ts'
import { cleanName } from '../../src/torrent/metainfo/names.ts'
import { UnsupportedTorrent } from '../../src/torrent/metainfo/unsupported.ts'
import { ascii } from '../strangers.ts'

const sha1Hex = (text: string): string => createHash('sha1').update(ascii(text)).digest('hex')
const hash = 'p'.repeat(20)

describe('a .torrent file', () => {
  it('has the infohash of its bytes as they stand there, canonical or not', () => {
    for (const info of [
      `d6:lengthi425e4:name4:temp12:piece lengthi16384e6:pieces20:${hash}e`,
      // Keys in another order.
      `d4:name4:temp6:lengthi425e12:piece lengthi16384e6:pieces20:${hash}e`,
      // Numbers written at length, and keys that nobody here knows.
      `d6:lengthi0425e4:name4:temp12:piece lengthi16384e6:pieces20:${hash}4:seeni9999999999999999999ee`
    ]) {
      const found = infoOfFile(ascii(`d8:announce3:abc4:info${info}7:unknownlee`))
      expect(hexOf(found.infoHash)).toBe(sha1Hex(info))
      expect(found).toMatchObject({ name: 'temp', length: 425, total: 425, offset: 0, pieceLength: 16_384 })
    }
  })

  it('is taken when it is a folder with one file, and padding is no file', () => {
    const entry = (path: string, length: number, attr = ''): string =>
      `d${attr === '' ? '' : `4:attr${attr.length}:${attr}`}6:lengthi${length}e4:pathl3:foo${path.length}:${path}ee`
    const folder = (...files: readonly string[]): string =>
      `d5:filesl${files.join('')}e4:name3:dir12:piece lengthi1000e`
    const of = (text: string, pieces: number): ReturnType<typeof parseInfo> =>
      parseInfo(ascii(`${text}6:pieces${pieces * 20}:${hash.repeat(pieces)}e`))
    expect(of(folder(entry('bar', 425)), 1)).toMatchObject({ name: 'bar', length: 425, offset: 0, total: 425 })
    const padded = of(folder(entry('a', 700, 'p'), entry('bar', 425), entry('b', 500, 'xp')), 2)
    expect(padded).toMatchObject({ name: 'bar', length: 425, offset: 700, total: 1_625 })
    expect(pieceSize(padded, 1)).toBe(625)
    const old = folder(entry('bar', 425), 'd6:lengthi75e4:pathl4:.pad2:75ee')
    expect(of(old, 1)).toMatchObject({ name: 'bar', length: 425, total: 500 })
    const several = folder(entry('a', 1), entry('b', 2), entry('c', 3))
    expect(() => of(several, 1)).toThrow(
      new UnsupportedTorrent('it has 3 files; only torrents with one file can be taken in')
    )
    expect(() => of(folder(entry('a', 1, 'p')), 1)).toThrow(UnsupportedTorrent)
    expect(() => of(folder(entry('a', 0, 'l'), entry('b', 1)), 1)).toThrow('symbolic link')
  })

  it('may be empty, private, or of both versions of BitTorrent', () => {
    const info = (more: Record<string, Bencoded>): ReturnType<typeof parseInfo> =>
      parseInfo(bencode({ length: 1, name: ascii('x'), 'piece length': 16_384, pieces: ascii(hash), ...more }))
    const empty = info({ length: 0, pieces: new Uint8Array() })
    expect([empty.length, pieceCount(empty)]).toEqual([0, 0])
    expect(info({ private: 1 }).private).toBe(true)
    expect(info({ private: 0 }).private).toBe(false)
    const tree = { x: { '': { length: 1, 'pieces root': new Uint8Array(32) } } }
    expect(info({ 'meta version': 2, 'file tree': tree }).length).toBe(1)
    const later = bencode({ name: ascii('x'), 'piece length': 16_384, 'meta version': 2, 'file tree': tree })
    expect(() => parseInfo(later)).toThrow(UnsupportedTorrent)
    expect(() => parseInfo(later)).toThrow('v2')
  })

  test.each<[string, Record<string, Bencoded>]>([
    ['a negative length', { length: -1 }],
    ['a length beyond numbers', { length: 2 ** 60 }],
    ['too few pieces', { length: 16_385 }],
    ['too many pieces', { pieces: new Uint8Array(40) }],
    ['a cut-off hash', { pieces: new Uint8Array(19) }],
    ['pieces of no bytes', { 'piece length': 0 }],
    ['pieces of negative length', { 'piece length': -16_384 }],
    ['no list of files', { files: 1 }],
    ['an empty list of files', { files: [] }],
    ['a file without a path', { files: [{ length: 1 }] }],
    ['a file with an empty path', { files: [{ length: 1, path: [] }] }],
    ['a path of numbers', { files: [{ length: 1, path: [1] }] }],
    ['a file of negative length', { files: [{ length: -1, path: [ascii('x')] }] }],
    [
      'files whose lengths make no number',
      {
        files: [1, 2].map(() => ({ length: Number.MAX_SAFE_INTEGER, path: [ascii('x')] }))
      }
    ],
    ['no name', { name: 1 }]
  ])('with %s is refused as malformed', (_, more) => {
    const info = { length: 1, name: ascii('x'), 'piece length': 16_384, pieces: ascii(hash), ...more }
    expect(() => parseInfo(bencode(info))).toThrow(RangeError)
  })

  it('is refused with the true reason when it is larger than can be taken in', () => {
    const about = { name: ascii('x') }
    const count = maxPieces + 1
    const many = bencode({ ...about, length: count, 'piece length': 1, pieces: new Uint8Array(count * 20) })
    expect(() => parseInfo(many)).toThrow(
      new UnsupportedTorrent(`it has ${count} pieces; at most ${maxPieces} can be taken in`)
    )
    const large = bencode({ ...about, length: 1, 'piece length': 2 ** 27, pieces: new Uint8Array(20) })
    expect(() => parseInfo(large)).toThrow(UnsupportedTorrent)
  })

  it('is refused when a key stands there twice, when something follows, and when it is endless', () => {
    expect(() => bdecode(ascii('d1:ai1e1:ai2ee'))).toThrow('"a" stands there twice')
    expect(() => entryOf(ascii('d4:infode4:infodee'), 'info')).toThrow('"info" stands there twice')
    expect(() => parseInfo(ascii('dee'))).toThrow('something follows the info')
    for (const text of ['', 'd', 'l', 'i', 'ie', '5:abc', '-1:', 'l'.repeat(100), `d2000:${'a'.repeat(2_000)}i1ee`])
      expect(() => bdecode(ascii(text)), text.slice(0, 20)).toThrow(RangeError)
    expect(() => bdecode(concatBytes(ascii('l'), ascii('le'.repeat(300_000)), ascii('e')))).toThrow('too many values')
  })
})

describe('a magnet link', () => {
  const hex = '0123456789abcdef0123456789abcdef01234567'
  const v2 = `urn:btmh:1220${'ab'.repeat(32)}`
  test.each([
    `magnet:?xt=urn:btih:${hex}`,
    `MAGNET:?XT=URN:BTIH:${hex.toUpperCase()}`,
    `  magnet:?dn=x&xt=urn:btih:${hex}\n`,
    `magnet:?xt=${v2}&xt=urn:btih:${hex}`,
    `magnet:?xt.1=${v2}&xt.2=urn:btih:${hex}`,
    `magnet:?xt.1=urn:btih:${hex}&xt.2=urn:sha1:YNCKHTQCWBTRNJIV4WNAE52SJUQCZO5C`,
    `magnet:?xt=urn%3Abtih%3A${hex}`,
    `magnet:?xl=1&amp;xt=urn:btih:${hex}&amp;dn=x`,
    `magnet://?xt=urn:btih:${hex}`,
    'magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH',
    'magnet:?xt=urn:btih:aerukz4jvpg66ajdivtytk6n54asgrlh'
  ])('%s is read', (link) => {
    expect(hexOf(parseMagnet(link).infoHash)).toBe(hex)
  })

  it('names peers and the content', () => {
    const link = `magnet:?xt=urn:btih:${hex}&dn=a+b&x.pe=127.0.0.1:1&x.pe=nonsense&x.pe=%5B::1%5D:2`
    expect(parseMagnet(link)).toMatchObject({
      name: 'a b',
      peers: [
        { host: '127.0.0.1', port: 1 },
        { host: '::1', port: 2 }
      ]
    })
  })

  it('of BitTorrent v2 only is refused with the true reason', () => {
    expect(() => parseMagnet(`magnet:?xt=${v2}`)).toThrow(UnsupportedTorrent)
  })

  test.each([
    '',
    'http://example.org',
    'magnet:?',
    'magnet:?dn=x',
    'magnet:?xt=urn:btmh:1220',
    `magnet:?xt=urn:btih:${hex}0`,
    'magnet:?xt=urn:btih:'
  ])('"%s" is refused', (link) => {
    expect(() => parseMagnet(link)).toThrow(RangeError)
  })
})

describe('the name of a file', () => {
  const name = (text: string): string => cleanName(new Uint8Array(Buffer.from(text)), 'fallback')
  test.each([
    ['notes.txt', 'notes.txt'],
    ['Ünïcode 日本.txt', 'Ünïcode 日本.txt'],
    ['../../etc/x', 'etc_x'],
    ['/etc/passwd', 'etc_passwd'],
    ['C:\\Windows\\x.dll', 'C__Windows_x.dll'],
    ['.bashrc', 'bashrc'],
    ['a\u0000b\nc\u001b[31m', 'a_b_c_[31m'],
    ['photo\u202egpj.exe', 'photo_gpj.exe'],
    ['trailing. . ', 'trailing'],
    ['CON', '_CON'],
    ['lpt1.txt', '_lpt1.txt'],
    ['~/x?*"<>|', '~_x______'],
    ['..', 'fallback'],
    ['', 'fallback'],
    ['///', 'fallback'],
    ['e\u0301', '\u00e9']
  ])('%j becomes %j', (given, clean) => {
    expect(name(given)).toBe(clean)
  })

  it('is cut at a whole character, and bytes that are no text are replaced', () => {
    expect(name('é'.repeat(200))).toBe('é'.repeat(127))
    expect(cleanName(Uint8Array.of(0x61, 0xff, 0x62), 'fallback')).toBe('a\ufffdb')
  })
})
