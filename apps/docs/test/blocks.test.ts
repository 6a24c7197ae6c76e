import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from '../src/repository.ts'
import { blocksOf, blocksOfDocuments } from './blocks.ts'
import { commandFault } from './commands.ts'

const own = fileURLToPath(new URL('..', import.meta.url))
// In this package, so that the names of our packages resolve.
const folder = mkdtempSync(join(own, 'documents-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Code blocks of documents that the compiler cannot read unchanged, by their first line, and why that does no harm. */
const unread: Readonly<Record<string, string>> = {
  'return defineBackend<Session>({': 'a test of examples/adapter-broker compares it with the adapter',
  "import { conformance } from '@p2pl/conformance'": 'the same test compares it with the proof of that adapter',
  '// otel.mjs, after npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-http':
    'it needs packages of OpenTelemetry that are not installed',
  "import { open, seal } from '@p2pl/room'": 'its loop has no body; the tests of seal run both calls'
}

describe('every block of code', () => {
  it('of a guide comes from a file that is compiled and run', () => {
    const guides = readdirSync(join(own, 'pages/guide')).filter((name) => name !== 'start.md')
    const untested = guides.flatMap((name) =>
      blocksOf(name, readFileSync(join(own, 'pages/guide', name), 'utf8'), /^(?:[cm]?[jt]s|sh|bash)$/)
    )
    expect(untested, 'put it into samples/, and include it with <<<').toEqual([])
  })

  it('of a document is right for the compiler', { timeout: 300_000 }, async () => {
    cpSync(join(own, 'test/documents'), folder, { recursive: true })
    // Documents omit checks that a reader would add.
    const compilerOptions = { strict: false, noUncheckedIndexedAccess: false, exactOptionalPropertyTypes: false }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: ['.'] })
    )
    const blocks = blocksOfDocuments(/^[jt]s$/)
    const isUnread = (text: string): boolean => Object.keys(unread).some((start) => text.startsWith(start))
    for (const [i, { file, text }] of blocks.entries()) {
      if (isUnread(text)) continue
      // A part of a fixture for the kit.
      const program = /^(?:create|report): async/.test(text)
        ? `export const fixture: Partial<import('@p2pl/conformance').ConformanceFixture> = {\n${text}}`
        : `${text}\nexport {}`
      writeFileSync(join(folder, `${file.replaceAll('/', '_')}.${i}.ts`), program)
    }
    writeFileSync(join(folder, 'wrong.ts'), 'void createPeer({ backnd: backend })')
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { stdout } = await promisify(execFile)(tsc, ['-p', folder], { cwd: folder }).catch(
      (error: { stdout: string }) => error
    )
    // Errors of documents only: our own sources were written for a stricter compiler. Examples are not packages; their
    // own tests run them.
    const errors = stdout.split('\n').filter((line) => /^\w/.test(line) && !/TS2307: .*'@p2pl\/example-/.test(line))
    expect(errors).toEqual([expect.stringMatching(/^wrong\.ts.*backnd/)])
    expect(blocks.length).toBeGreaterThan(40)
    expect(Object.keys(unread).filter((start) => !blocks.some(({ text }) => text.startsWith(start)))).toEqual([])
  })

  it.each(blocksOfDocuments(/^(?:sh|bash)$/).map(({ file, text }) => [file, text.split('\n')[0] ?? '', text] as const))(
    'of %s names only what there is: %s',
    (file, _, text) => {
      expect(text.split('\n').flatMap((line) => commandFault(line, file) ?? [])).toEqual([])
    }
  )

  it('with a wrong command would be found out', () => {
    for (const line of ['npm install @p2pl/nothing', 'npm run nothing', 'node nothing.mjs'])
      expect(commandFault(line, 'examples/chat/README.md'), line).toBeDefined()
  })
})
