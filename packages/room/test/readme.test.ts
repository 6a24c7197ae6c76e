import { runFirstSample } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'

it('runs the first sample of the README', () => {
  const stdout = runFirstSample(new URL('../README.md', import.meta.url), import.meta.dirname)
  expect(stdout.split('\n').sort()).toEqual(['', 'Ann is here', 'Ann: who has a drill?', 'Ben lends it for 3 days'])
})
