import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const run = (...args: string[]): string =>
  execFileSync(process.execPath, ['-C', '@p2pl/source', ...args], { encoding: 'utf8', timeout: 50_000 })
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const readme = read('../README.md')
const [, example, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(readme)!
// Inside of the package, so that its own name resolves.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

it('prints what the README says', () => {
  const file = join(folder, 'example.mjs')
  writeFileSync(file, example!)
  expect(run(file)).toBe(output)
})

it('runs the first sample of core’s README', () => {
  const file = join(folder, 'core.ts')
  writeFileSync(file, /```ts\n(.*?)```/s.exec(read('../../core/README.md'))![1]!)
  expect(run(file)).toBe("true { from: 'e2', to: 'e4' }\n3000000\n")
})

it('is proven by the sample of CONTRIBUTING', () => {
  const sample = /```ts\n(import \{ conformance.*?)```/s.exec(read('../../../CONTRIBUTING.md'))![1]!
  const file = join(folder, 'contributing.ts')
  writeFileSync(file, sample.replace("'vitest'", "'node:test'").replace("'../src/index.ts'", "'./yours.ts'"))
  // The author's module: an adapter, and a network of its own for each run.
  writeFileSync(
    join(folder, 'yours.ts'),
    `import { createMemoryNetwork, memory } from '@p2pl/memory'
let made = 0
export const yours = (network = createMemoryNetwork()) => memory({ network, id: \`c\${++made}\` })
export const closedNetwork = () => {
  const network = createMemoryNetwork()
  return {
    open: () => yours(network),
    cut: async (backend) => {
      const [{ id }] = backend.self()
      network.interrupt(id)
      return async () => network.resume(id)
    }
  }
}`
  )
  expect(run('--test', '--test-reporter=tap', file)).toContain('# fail 0')
})
