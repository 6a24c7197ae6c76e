import { expect, it } from 'vitest'
import { matrix } from '../src/matrix.ts'
import { read } from '../src/workspace.ts'

it('README shows what the backends declare', () => {
  const table = matrix()
  expect(read('README.md'), 'run `npx pnpm@12 --filter @p2pl/tooling-repo-checks run write`').toContain(table)
  expect(table).toContain('| largest message |')
})
