import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesKey, compareBytes, concatBytes, equalBytes } from '../../src/toolbox/index.ts'

test('bytes have the order of their hexadecimal text', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4, max: 2 }), fc.uint8Array({ maxLength: 4, max: 2 }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(hex(a) < hex(b) ? -1 : Number(hex(a) > hex(b)))
      expect(equalBytes(a, b)).toBe(compareBytes(a, b) === 0)
      expect(bytesKey(a) === bytesKey(b)).toBe(equalBytes(a, b))
    }),
    { seed: 1 }
  )
})

test('joined bytes are a copy of their parts in order', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), (parts) => {
      const whole = concatBytes(...parts)
      expect([...whole]).toEqual(parts.flatMap((part) => [...part]))
      expect(parts.every(({ buffer }) => buffer !== whole.buffer)).toBe(true)
    }),
    { seed: 1 }
  )
})
