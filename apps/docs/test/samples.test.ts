import { readdirSync, readFileSync } from 'node:fs'
import { format } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'

const folder = new URL('../samples/', import.meta.url)
const samples = readdirSync(folder).filter((name) => name.endsWith('.ts'))

afterEach(() => vi.restoreAllMocks())

it.each(samples)('%s prints what it says', async (name) => {
  const [, expected = ''] = /\n\/\/ prints:\n((?:\/\/ .*\n)+)$/.exec(readFileSync(new URL(name, folder), 'utf8')) ?? []
  expect(expected, 'its last lines say what it prints').not.toBe('')
  const printed: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => void printed.push(format(...values)))
  await import(new URL(name, folder).href)
  const lines = expected
    .trim()
    .replaceAll(/^\/\/ /gm, '')
    .split('\n')
  expect(printed.slice(0, lines.length)).toEqual(lines.map((line) => expect.stringMatching(pattern(line))))
})

/** A line in which … at the end matches anything. */
function pattern(line: string): RegExp {
  const start = line.replace(/…$/, '').replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${start}${line.endsWith('…') ? '' : '$'}`)
}
