import { runFirstSample } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'

it('the sample of the README prints what it says', () => {
  const printed = runFirstSample(new URL('../README.md', import.meta.url), import.meta.dirname)
  expect(printed).toBe('2 copies, at Ben: true at Cleo: true\n')
})
