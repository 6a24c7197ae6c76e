import { packageOf } from '@p2pl/tooling-tsup/packages'
import { describe, expect, it } from 'vitest'
import { importsOf, withoutComments } from '../src/source.ts'

describe('reading sources', () => {
  it('finds every kind of import', () => {
    const source = `import type { A } from 'a'
import {
  b,
  c
} from "@b/c/d"
import './side.ts'
export * from 'e'
export { f } from 'f/g'
const lazy = await import('h')
// import 'no'
/* import x from 'neither' */
const text = "import y from 'not'"
export function from(value: string) { return value + 'nor' }
`
    expect(importsOf(source)).toEqual([
      ...['a', '@b/c/d', 'e', 'f/g', './side.ts'].map((specifier) => ({ specifier, dynamic: false })),
      { specifier: 'h', dynamic: true }
    ])
  })

  it('keeps strings that look like comments', () => {
    expect(withoutComments(`const a = 'http://x' // gone\nconst b = \`/* kept */\``)).toBe(
      `const a = 'http://x'  \nconst b = \`/* kept */\``
    )
  })

  it('knows the package of a path', () => {
    expect(['@a/b/c', 'd/e', 'f'].map(packageOf)).toEqual(['@a/b', 'd', 'f'])
  })
})
