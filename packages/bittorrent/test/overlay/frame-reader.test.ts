import { concatBytes } from '@p2pl/core/backend'
import { expect, it } from 'vitest'
import { FrameError, FrameReader } from '../../src/overlay/wire/frame-reader.ts'
import { uint32 } from '../../src/tools/bytes.ts'
import { frameBytes } from '../strangers.ts'

const bodies = [0, 1, 5, 4_096, 70_000].map((length, i) => new Uint8Array(length).fill(i + 1))
const stream = concatBytes(...bodies.map((body, i) => frameBytes(i, body)))

it.each([1, 2, 3, 7, 1_000, 16_384, 1_000_000])('reads frames that come in parts of %i bytes', (size) => {
  const reader = new FrameReader(() => 100_000)
  const frames: { kind: number; body: Uint8Array }[] = []
  for (let at = 0; at < stream.byteLength; at += size) {
    reader.push(stream.slice(at, at + size))
    for (let next = reader.take(); next !== undefined; next = reader.take()) frames.push(next)
  }
  // Read at the end: what was handed out must not be written over.
  expect(frames.map(({ kind, body }) => [kind, body])).toEqual(bodies.map((body, i) => [i, body]))
  expect(reader.size).toBe(0)
})

it('refuses a frame by its head, before its body has come', () => {
  const reader = (): FrameReader => new FrameReader((kind) => (kind === 1 ? 10 : 0))
  for (const [length, kind] of [
    [12, 1],
    [2, 2],
    [0, 0],
    [0xff_ff_ff_ff, 1]
  ] as const) {
    const each = reader()
    each.push(concatBytes(uint32(length), Uint8Array.of(kind)))
    expect(each.ready).toBe(true)
    expect(() => each.take()).toThrow(FrameError)
  }
  const fits = reader()
  fits.push(concatBytes(uint32(11), Uint8Array.of(1)))
  expect(fits.ready).toBe(false)
  expect(fits.take()).toBeUndefined()
})
