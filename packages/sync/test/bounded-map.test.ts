import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BoundedMap } from '../src/toolbox/bounded-map.ts'

const max = 5
const step = fc.record({ kind: fc.constantFrom('set', 'set', 'set', 'delete'), key: fc.integer({ min: 0, max: 12 }) })

test('forgets the oldest key, whatever was set again or deleted before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new BoundedMap<number>(max)
      let expected: [string, number][] = []
      for (const [i, { kind, key }] of steps.entries()) {
        const name = String(key)
        expected = expected.filter(([other]) => other !== name)
        if (kind === 'delete') map.delete(name)
        else {
          expected.push([name, i])
          const gone = expected.length > max ? expected.shift() : undefined
          expect(map.set(name, i)).toBe(gone?.[1])
        }
        expect([...map.entries()]).toEqual(expected)
      }
    })
  )
})
