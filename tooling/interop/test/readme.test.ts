import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, it } from 'vitest'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const [listen = '', say = ''] = Array.from(readme.matchAll(/```js\n(.*?)```/gs), ([, sample]) => sample)
// Inside a package that depends on both, so that their names resolve.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
const children: ChildProcess[] = []

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

function run(file: string, ...args: string[]): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, ['-C', '@p2pl/source', file, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

it('has two programs that talk, word by word as the README says', async () => {
  writeFileSync(join(folder, 'listen.mjs'), listen)
  writeFileSync(join(folder, 'say.mjs'), say)
  const { lines: heard } = run('listen.mjs')
  const [command, file = '', address = ''] = ((await heard.next()).value as string).split(' ')
  expect([command, file]).toEqual(['node', 'say.mjs'])
  const { child, lines: said } = run(file, address)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  expect((await heard.next()).value).toMatch(/^12D3KooW\w+: hello$/)
  expect((await said.next()).value).toMatch(/^bafk\w+ says "a document"$/)
  expect(await ended).toBe(0)
})
