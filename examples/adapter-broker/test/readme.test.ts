import { runFirstSample } from '@p2pl/tooling-vitest'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

it('runs the sample of the README', () => {
  expect(runFirstSample(new URL('../README.md', import.meta.url), import.meta.dirname)).toBe('hello over TCP\n')
})

it('is what CONTRIBUTING shows', () => {
  const contributing = read('../../../CONTRIBUTING.md')
  const imports = /^import [^]*? from '[^']*'.*\n/gm
  // The guide shows the code as it stands; of the adapter, the part from `defineBackend` on.
  expect(contributing).toContain(read('conformance.test.ts'))
  const shown = /```ts\n(return defineBackend[^]*?)```/.exec(contributing)?.[1]?.trim() ?? ''
  expect(shown.length).toBeGreaterThan(500)
  const own = read('../src/index.ts').replaceAll(imports, '')
  const indented = shown.split('\n').map((line) => (line === '' ? line : `  ${line}`))
  expect(own).toContain(indented.join('\n'))
})
