import { encode } from '@ipld/dag-cbor'
import { seededRandom } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { FairBuffer } from '../src/fair-buffer.ts'
import { Seen } from '../src/seen.ts'
import { decodeFrame, encodeFrame, type Frame } from '../src/wire/frame.ts'
import { decodeNote, encodeNote, type Note } from '../src/wire/note.ts'

const stay = new Uint8Array(16).fill(3)
const cid = CID.parse('bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
const stored = { cid, size: 9, key: stay.slice(0), providers: [{ network: 'n', id: 'i', addresses: ['a'] }] }
const content = { ...stored, key: new Uint8Array(32) }
const head = { stay, n: 4, age: 5 }
const frames: Frame[] = [
  { ...head, kind: 'beat', key: new Uint8Array(32), period: 6, name: 'Ann', account: undefined, echoes: [stay] },
  { ...head, kind: 'bye' },
  { ...head, kind: 'say', channel: 'c', content: Uint8Array.of(1), signature: new Uint8Array(64) },
  { ...head, kind: 'say', channel: '', content, signature: new Uint8Array(64) },
  { ...head, kind: 'direct', to: stay, sealed: Uint8Array.of(1) }
]
const notes: Note[] = [
  { kind: 'say', channel: 'c', content },
  { kind: 'ask', id: 1, channel: 'c', content: Uint8Array.of(1) },
  { kind: 'answer', id: 1, content: Uint8Array.of(1) },
  { kind: 'refuse', id: 1, code: 'UNSUPPORTED', reason: 'no' },
  { kind: 'secret', secret: new Uint8Array(32) }
]

describe('frames and notes', () => {
  it('are decoded as they were encoded', () => {
    for (const frame of frames) expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
    for (const note of notes) expect(decodeNote(encodeNote(note))).toEqual(note)
  })

  it('of any other form are refused, and never an exception', () => {
    const random = seededRandom(1)
    for (const bytes of [...frames.map(encodeFrame), ...notes.map(encodeNote)]) {
      for (let i = 0; i < 2_000; i++) {
        const changed = bytes.slice(0, random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length)
        for (let j = 0; j <= random() * 3; j++) changed[Math.floor(random() * changed.length)] = random() * 256
        decodeFrame(changed)
        decodeNote(changed)
      }
    }
    for (const value of [
      null,
      [],
      [2, stay, 0, 0, 1],
      [1, stay, -1, 0, 1],
      [1, stay, 0, 0, 9],
      [1, stay.slice(1), 0, 0, 1],
      [1, stay, 0, 0, 2, 'x'.repeat(65), stay, new Uint8Array(64)],
      [1, stay, 0, 0, 0, new Uint8Array(32), 1, 'x'.repeat(65), null, []],
      [1, stay, 0, 0, 0, new Uint8Array(32), 1, null, null, Array.from({ length: 33 }, () => stay)]
    ]) {
      expect(decodeFrame(encode(value))).toBeUndefined()
    }
  })
})

describe('memory', () => {
  it('of one flooding sender displaces nothing of another', () => {
    const buffer = new FairBuffer<string>({ maxItems: 10, maxBytes: 100 })
    for (let i = 0; i < 3; i++) buffer.push('ann', `ann ${i}`, 1)
    for (let i = 0; i < 1_000; i++) buffer.push('mallory', `mallory ${i}`, 1)
    for (let i = 0; i < 5; i++) buffer.push('mallory', `large ${i}`, 40)
    buffer.push('mallory', 'too large', 101)
    expect(buffer.items.filter((item) => item.startsWith('ann'))).toEqual(['ann 0', 'ann 1', 'ann 2'])
    expect(buffer.items.length).toBeLessThanOrEqual(10)
    expect(buffer.take((item) => item.startsWith('ann'))).toHaveLength(3)
    expect(buffer.items.some((item) => item.startsWith('ann'))).toBe(false)
  })

  it('of numbers that were seen is a window', () => {
    const seen = new Seen()
    expect([seen.add(5), seen.add(5), seen.add(3), seen.add(3)]).toEqual([true, false, true, false])
    for (let n = 10; n < 10_000; n++) expect(seen.add(n)).toBe(true)
    expect([seen.add(6), seen.add(9_990), seen.add(9_000)]).toEqual([false, false, false])
  })
})
